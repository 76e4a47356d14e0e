"""What archives say of their wheels is kept by their hashes, and read again if it is not known."""

from dataclasses import replace
from pathlib import Path

import pytest

from checked_sets import package
from cuvee import checked_cache
from cuvee.channel.package_writer import PackageContent, write_package
from cuvee.conda.package_record import OWN_CHANNEL, LockedPackage
from cuvee.errors import IntegrityError
from cuvee.files import sha256_file
from cuvee.release.imported_wheels import ImportedWheels
from tiny_distribution import Recorder

WHEEL = {"wheel": "demo-1.0-py3-none-any.whl", "sha256": "1" * 64}


def made(folder: Path, name: str, extra: dict[str, object]) -> LockedPackage:
    """Return a package of the release's own channel whose archive is there."""
    content = PackageContent(
        name=name, version="1.0", build="0", subdir="noarch", timestamp=0, files=(), extra=extra
    )
    archive = write_package(content, folder / OWN_CHANNEL / "noarch")
    url = archive.relative_to(folder).as_posix()
    return replace(package(name), url=url, channel=OWN_CHANNEL, sha256=sha256_file(archive))


def test_an_archive_is_opened_once_and_not_again_in_the_next_run(tmp_path: Path) -> None:
    demo, plain = made(tmp_path, "demo", {"cuvee": WHEEL}), made(tmp_path, "plain", {})
    kept = tmp_path / "kept"
    first = ImportedWheels(tmp_path, kept)
    wheel = first.of(demo)
    assert wheel is not None
    assert (wheel.package, wheel.name.file_name, wheel.sha256) == (demo, *WHEEL.values())
    assert first.of(plain) is None
    first.save()
    for item in (demo, plain):
        (tmp_path / item.url).unlink()
    again = ImportedWheels(tmp_path, kept)
    assert (again.of(demo), again.of(plain)) == (wheel, None)
    with pytest.raises(IntegrityError):
        again.of(replace(demo, sha256="2" * 64))


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"archives": 1}', '{"%s": {"wheel": "../x", "sha256": ""}}'],
)
def test_a_file_that_says_nothing_of_use_is_made_again(tmp_path: Path, content: str) -> None:
    demo, kept = made(tmp_path, "demo", {"cuvee": WHEEL}), tmp_path / "kept"
    checked_cache.save(kept, (content % demo.sha256 if "%" in content else content).encode())
    wheels = ImportedWheels(tmp_path, kept)
    wheel = wheels.of(demo)
    assert wheel is not None
    assert wheel.name.file_name == WHEEL["wheel"]
    wheels.save()
    (tmp_path / demo.url).unlink()
    assert ImportedWheels(tmp_path, kept).of(demo) == wheel


def test_a_changed_file_leaves_no_wheel_out(tmp_path: Path) -> None:
    demo, kept, heard = made(tmp_path, "demo", {"cuvee": WHEEL}), tmp_path / "kept", Recorder()
    first = ImportedWheels(tmp_path, kept)
    wheel = first.of(demo)
    first.save()
    kept.write_bytes(kept.read_bytes().replace(WHEEL["wheel"].encode(), b""))
    assert ImportedWheels(tmp_path, kept, heard).of(demo) == wheel
    assert heard.lines == [f"{kept} is damaged; it is made again"]
