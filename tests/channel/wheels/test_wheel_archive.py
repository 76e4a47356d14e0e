import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.channel.wheels import wheel_archive as module
from cuvee.channel.wheels.wheel_archive import WheelName, open_wheel
from cuvee.conda import package_archive
from cuvee.errors import IntegrityError

MakeWheel = Callable[..., Path]
NAME = "demo-1.0-py3-none-any.whl"


def info(name: str, *, mode: int = 0o100644) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def opened(path: Path) -> None:
    with open_wheel(path) as wheel:
        for member in wheel.members:
            wheel.read(member)


def test_a_good_wheel_is_read(make_wheel: MakeWheel) -> None:
    with open_wheel(make_wheel(files={"demo.py": b"x = 1\n"})) as wheel:
        assert wheel.read("demo.py") == b"x = 1\n"
        assert wheel.dist_info == "demo-1.0.dist-info"
        assert wheel.newest == (2024, 5, 6, 7, 8, 10)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/passwd", "not a relative path"),
        ("../outside.py", r"has \.\. parts"),
        ("demo/../../outside.py", r"has \.\. parts"),
        ("demo/../x.py", r"has \.\. parts"),
        ("./../outside.py", r"has \.\. parts"),
        ("demo/..", r"has \.\. parts"),
        (".", "or no others"),
        (".//", "or no others"),
        ("C:/x.py", "not a relative path"),
        ("c:x.py", "not a relative path"),
        ("demo\\x.py", "not a relative path"),
        ("demo/x\n.py", "control characters"),
        ("demo/x\x7f.py", "control characters"),
        ("demo/__init__.py/x", "is a file"),
    ],
)
def test_a_hostile_name_is_refused(make_wheel: MakeWheel, name: str, why: str) -> None:
    path = make_wheel(raw=lambda archive: archive.writestr(info(name), b""))
    with pytest.raises(IntegrityError, match=why) as error:
        opened(path)
    assert NAME in error.value.message


def test_a_name_cut_by_nul_is_refused(make_wheel: MakeWheel) -> None:
    path = make_wheel(files={"demo/x.pyQtail": b""})
    path.write_bytes(path.read_bytes().replace(b"x.pyQtail", b"x.py\0tail"))
    with pytest.raises(IntegrityError, match="control characters"):
        opened(path)


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o060666, 0o010666, 0o140666])
def test_links_and_devices_are_refused(make_wheel: MakeWheel, mode: int) -> None:
    path = make_wheel(raw=lambda archive: archive.writestr(info("demo/link", mode=mode), b"/etc/passwd"))
    with pytest.raises(IntegrityError, match=r"demo/link.*a link or a device"):
        opened(path)


def test_an_encrypted_member_is_refused(make_wheel: MakeWheel) -> None:
    path = make_wheel(files={"demo.py": b"x"})
    data = bytearray(path.read_bytes())
    where = data.rindex(b"PK\x01\x02", 0, data.index(b"demo.py", data.index(b"PK\x01\x02")))
    data[where + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="encrypted"):
        opened(path)


def test_an_unusual_compression_is_refused(make_wheel: MakeWheel) -> None:
    def add(archive: zipfile.ZipFile) -> None:
        archive.writestr("demo/x.py", b"x", compress_type=zipfile.ZIP_BZIP2)

    with pytest.raises(IntegrityError, match="unusual"):
        opened(make_wheel(raw=add))


def test_a_bomb_is_refused_before_it_is_inflated(
    make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_archive, "RATIO_FLOOR", 1000)
    path = make_wheel(files={"demo/zeros": bytes(1 << 20)})
    with pytest.raises(IntegrityError, match="would inflate to 1,04"):
        opened(path)
    monkeypatch.setattr(package_archive, "RATIO_FLOOR", 64 << 20)
    opened(path)
    monkeypatch.setattr(module, "LARGEST_TOTAL", 1 << 20)
    with pytest.raises(IntegrityError, match="would inflate"):
        opened(path)


def test_members_that_share_their_bytes_are_a_bomb(
    make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overlapping members declare much packed data each, while the file itself is small."""
    monkeypatch.setattr(package_archive, "RATIO_FLOOR", 1000)
    monkeypatch.setattr(package_archive, "LARGEST_RATIO", 3)
    path = make_wheel(files={f"demo/{number}.txt": b"0123456789" * 10 for number in range(20)})
    data = path.read_bytes()
    opened(path)
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        size = path.stat().st_size
        for entry in archive.infolist():
            entry.file_size = entry.compress_size = size
        with pytest.raises(IntegrityError, match="would inflate"):
            module.WheelArchive(archive, NAME, size)


def test_too_many_members_are_refused(make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MEMBERS", 3)
    with pytest.raises(IntegrityError, match="its 4 members"):
        opened(make_wheel())


def test_a_size_that_lies_is_refused(make_wheel: MakeWheel) -> None:
    """A member that inflates to more than it declares is cut there, and its checksum tells."""
    path = make_wheel(files={"demo.py": b"x" * 5000})
    data = path.read_bytes()
    path.write_bytes(data.replace(struct.pack("<I", 5000), struct.pack("<I", 100)))
    with pytest.raises(IntegrityError, match=r"demo\.py"):
        opened(path)


def test_a_member_that_differs_from_record_is_refused(make_wheel: MakeWheel) -> None:
    wheel = make_wheel(files={"demo.py": b"good"})
    with zipfile.ZipFile(wheel) as archive:
        record = archive.read("demo-1.0.dist-info/RECORD").decode()
    path = make_wheel(files={"demo.py": b"evil"}, record=record)
    with pytest.raises(IntegrityError, match=r"demo\.py.*its hash is not the one in RECORD"):
        opened(path)


@pytest.mark.parametrize("folder", ["other-1.0.dist-info", "demo-2.0.dist-info", "demo.dist-info"])
def test_a_foreign_dist_info_is_refused(make_wheel: MakeWheel, folder: str) -> None:
    with pytest.raises(IntegrityError, match="another project or version"):
        opened(make_wheel(info=folder))


def test_two_dist_infos_are_refused(make_wheel: MakeWheel) -> None:
    with pytest.raises(IntegrityError, match=r"one \.dist-info"):
        opened(make_wheel(files={"demo-2.0.dist-info/METADATA": b""}))


def test_what_is_not_a_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(IntegrityError, match="not a zip"):
        opened(path)


def test_a_cut_wheel_is_refused(make_wheel: MakeWheel) -> None:
    path = make_wheel(files={"demo.py": b"x" * 5000})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(IntegrityError, match="not a zip"):
        opened(path)


@pytest.mark.parametrize(
    "name",
    [
        "demo.zip",
        "demo.whl",
        "demo-x-py3-none-any.whl",
        "../a-1-py3-none-any.whl",
        "a-1-py3-none-any/../b.whl",
    ],
)
def test_only_names_of_wheels_are_taken(name: str) -> None:
    with pytest.raises(IntegrityError, match="not the name of a wheel"):
        WheelName.parse(name)
