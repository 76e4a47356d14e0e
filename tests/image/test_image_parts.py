"""The image's parts, each on its own: packages read, files planned, clobbers settled, frames packed."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from cuvee.channel.package_writer import PLACEHOLDER, PackageContent, PackageFile, write_package
from cuvee.conda.package_info import PackageInfo, check_path, read_info
from cuvee.errors import BlockedError, IntegrityError
from cuvee.files import sha256_bytes
from cuvee.image.archive_members import read_members
from cuvee.image.clobber import resolve_clobbers
from cuvee.image.frames import PIECE_BYTES, Part, pack
from cuvee.image.link_plan import plan_package
from cuvee.image.model import FileKind, PlannedFile
from cuvee.image.packer import Packer
from cuvee.image.payload_writer import PayloadWriter
from cuvee.image.python_paths import PythonPaths, is_decoder, needs_decoder
from cuvee.image.spool import Spool
from cuvee.image.stage0 import Stage0File, write_stage0
from cuvee.platforms import get
from heard_warnings import HeardWarnings


def package(folder: Path, *files: PackageFile, noarch: bool = False, points: tuple[str, ...] = ()) -> Path:
    content = PackageContent(
        name="thing",
        version="1",
        build="0",
        subdir="noarch" if noarch else "linux-64",
        noarch="python" if noarch else None,
        timestamp=0,
        entry_points=points,
        files=files,
    )
    return write_package(content, folder)


def python_paths(platform: str) -> PythonPaths:
    site = "Lib/site-packages" if platform == "win-64" else "lib/python3.11/site-packages"
    return PythonPaths(platform=get(platform), version="3.11", full_version="3.11.4", site_packages=site)


def unpacked(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


def tampered(
    archive: Path, name: str, content: bytes | None, *, entries: list[dict[str, object]] | None
) -> Path:
    """Write the package again with one file of another content, or with another paths.json."""
    info_name, pkg_name = f"info-{archive.stem}.tar.zst", f"pkg-{archive.stem}.tar.zst"
    with zipfile.ZipFile(archive) as old:
        parts = {item: old.read(item) for item in old.namelist()}
    for part in (info_name, pkg_name):
        with tarfile.open(fileobj=io.BytesIO(unpacked(parts[part]))) as tar:
            members = [(member, (tar.extractfile(member) or io.BytesIO()).read()) for member in tar]
        output = io.BytesIO()
        with tarfile.open(fileobj=output, mode="w") as tar:
            for member, data in members:
                new = data
                if member.name == name and part == pkg_name:
                    if content is None:
                        continue
                    new = content
                if member.name == "info/paths.json" and entries is not None:
                    new = json.dumps({"paths": entries}).encode()
                member.size = len(new)
                tar.addfile(member, io.BytesIO(new))
        parts[part] = zstandard.compress(output.getvalue())
    with zipfile.ZipFile(archive, "w") as new_zip:
        for item, data in parts.items():
            new_zip.writestr(item, data)
    return archive


def read(info: PackageInfo) -> None:
    with Spool(info.archive.parent) as spool:
        list(read_members(info, spool))


def test_files_come_back_as_they_went_in(tmp_path: Path) -> None:
    archive = package(
        tmp_path,
        PackageFile(path="bin/x", content=b"#!\n", executable=True),
        PackageFile(path="bin/y", content=b"", link_target="x"),
    )
    with Spool(tmp_path) as spool:
        members = {member.path: member for member in read_members(read_info(archive), spool)}
        assert (members["bin/x"].mode, members["bin/x"].data.read()) == (0o755, b"#!\n")
    assert members["bin/y"].link_target == "x"


@pytest.mark.parametrize(
    "path", ["/x", "../x", "a/../../x", "a//b", "a\\b", "C:/x", "a\nb", "", ".", "a/./b"]
)
def test_paths_that_escape(path: str, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="not allowed"):
        check_path(path, Path("evil.conda"))
    archive = package(tmp_path, PackageFile(path="ok", content=b""))
    entries: list[dict[str, object]] = [{"_path": path, "path_type": "hardlink"}]
    with pytest.raises(IntegrityError, match="not allowed"):
        read_info(tampered(archive, "ok", b"", entries=entries))


def test_broken_archives(tmp_path: Path) -> None:
    archive = package(tmp_path, PackageFile(path="file", content=b"abc"))
    info = read_info(tampered(archive, "file", None, entries=None))
    with pytest.raises(IntegrityError, match="lacks file"):
        read(info)
    archive = package(tmp_path, PackageFile(path="file", content=b"abc"))
    with pytest.raises(IntegrityError, match="larger than"):
        read(read_info(tampered(archive, "file", b"abcd" * 100, entries=None)))
    twice: list[dict[str, object]] = [{"_path": "file"}, {"_path": "file"}]
    with pytest.raises(IntegrityError, match="lists a path twice"):
        read_info(tampered(archive, "file", b"abc", entries=twice))
    archive.write_bytes(b"no zip at all")
    with pytest.raises(IntegrityError, match="cannot be read as a conda package"):
        read_info(archive)


def test_noarch_python_on_two_systems(tmp_path: Path) -> None:
    archive = package(
        tmp_path,
        PackageFile(path="site-packages/thing.py", content=b""),
        PackageFile(path="python-scripts/run", content=b""),
        PackageFile(path="share/thing", content=b""),
        PackageFile(path="etc/thing", content=PLACEHOLDER.encode(), placeholder=PLACEHOLDER),
        PackageFile(
            path="lib/thing.bin",
            content=PLACEHOLDER.encode(),
            placeholder=PLACEHOLDER,
            placeholder_mode="binary",
        ),
        noarch=True,
        points=("go = thing:main.run [extra]",),
    )
    info = read_info(archive)
    linux = {file.path: file for file in plan_package(info, python_paths("linux-64"), launcher=None)}
    assert set(linux) == {
        "bin/go",
        "bin/run",
        "etc/thing",
        "lib/python3.11/site-packages/thing.py",
        "lib/thing.bin",
        "share/thing",
    }
    assert linux["lib/thing.bin"].kind is FileKind.BINARY
    assert linux["bin/go"].kind is FileKind.TEXT
    assert b"from thing import main\n" in (linux["bin/go"].content or b"")
    assert b"sys.exit(main.run())" in (linux["bin/go"].content or b"")
    windows = {file.path: file for file in plan_package(info, python_paths("win-64"), launcher=b"MZ")}
    assert windows["Scripts/go.exe"].content == b"MZ"
    assert (windows["Scripts/go-script.py"].content or b"").startswith(b"\n# -*- coding")
    assert windows["lib/thing.bin"].kind is FileKind.PLAIN
    assert "Lib/site-packages/thing.py" in windows
    with pytest.raises(IntegrityError, match="no launcher"):
        plan_package(info, python_paths("win-64"), launcher=None)


@pytest.mark.parametrize("line", ["x", "../x = a:b", "x = a", "x = a:b; import os", "a:b = c:d"])
def test_malformed_entry_points(line: str, tmp_path: Path) -> None:
    info = read_info(package(tmp_path, noarch=True, points=(line,)))
    with pytest.raises(IntegrityError, match="malformed entry point"):
        plan_package(info, python_paths("linux-64"), launcher=None)


@pytest.mark.parametrize("name", ["a b", "c++", "x.y-z_1"])
def test_names_of_entry_points(name: str, tmp_path: Path) -> None:
    info = read_info(package(tmp_path, noarch=True, points=(f"{name} = c:d",)))
    paths = {file.path for file in plan_package(info, python_paths("linux-64"), launcher=None)}
    assert f"bin/{name}" in paths


@pytest.mark.parametrize(
    ("target", "fits"), [("../x", True), ("/etc/x", False), ("../../x", False), ("", False)]
)
def test_links_out_of_the_prefix(target: str, fits: bool, tmp_path: Path) -> None:
    link = PackageFile(path="bin/link", content=b"", link_target=target)
    info = read_info(package(tmp_path, link))
    packer = Packer(python=python_paths("linux-64"), stage0=(), compiler=None, cache=tmp_path, level=1)
    plan = plan_package(info, python_paths("linux-64"), launcher=None)
    if fits:
        assert packer.pack(info, plan).links == {"bin/link": target}
    else:
        with pytest.raises(IntegrityError, match=r"links bin/link (out of the prefix|to nothing)"):
            packer.pack(info, plan)


def planned(*paths: str) -> tuple[PlannedFile, ...]:
    return tuple(
        PlannedFile(path=path, source=path, kind=FileKind.PLAIN, path_type="hardlink") for path in paths
    )


def test_the_last_in_dependency_order_wins() -> None:
    plans = {"a": planned("x", "y"), "b": planned("x"), "c": planned("x")}
    result = resolve_clobbers(plans, ["c", "a", "b"], ignore_case=False)
    assert [file.path for file in result["b"]] == ["x"]
    assert [file.path for file in result["a"]] == ["__clobbers__/a/x", "y"]
    assert result["c"][0].original_path == "x"


def test_folders_that_differ_by_case_are_one_where_the_system_ignores_it() -> None:
    plans = {"a": planned("lib/A/x", "Lib/y"), "b": planned("LIB/a/z", "Share/t"), "c": planned("share/u")}
    result = resolve_clobbers(plans, ["b", "c", "a"], ignore_case=True, folders=("Lib",))
    paths = {name: [file.path for file in files] for name, files in result.items()}
    assert paths == {"a": ["Lib/a/x", "Lib/y"], "b": ["Lib/a/z", "Share/t"], "c": ["Share/u"]}
    assert [file.source for file in result["a"]] == ["lib/A/x", "Lib/y"]
    assert resolve_clobbers(plans, ["b", "c", "a"], ignore_case=False) == plans


def test_what_no_prefix_can_hold() -> None:
    with pytest.raises(BlockedError, match="where b has a folder"):
        resolve_clobbers({"a": planned("x"), "b": planned("x/y/z")}, ["a", "b"], ignore_case=False)
    case = {"a": planned("X"), "b": planned("x")}
    assert resolve_clobbers(case, ["a", "b"], ignore_case=False) == case
    with pytest.raises(BlockedError, match="one file on this platform"):
        resolve_clobbers(case, ["a", "b"], ignore_case=True)


def test_frames_hold_all_bytes_and_are_made_once(tmp_path: Path) -> None:
    large = bytes(range(256)) * ((2 * PIECE_BYTES + 512) // 256)
    parts = [
        Part(path="a", mode=0o644, data=b"first", how="plain"),
        Part(path="large", mode=0o755, data=large, how="plain"),
        Part(path="text", mode=0o644, data=b"/old", how="text", extra="/old"),
    ]
    frames = pack(parts, level=1, cache=tmp_path)
    files: dict[str, bytes] = {}
    for frame in frames:
        raw = zstandard.decompress(frame.file.read_bytes(), max_output_size=frame.raw)
        for path, _, start, size, _how, sha256, *extra in frame.entries:
            assert sha256_bytes(raw[start : start + size]) == sha256
            at = extra[0] if _how == "piece" else 0
            assert len(files.get(path, b"")) == at
            files[path] = files.get(path, b"") + raw[start : start + size]
    assert files == {"a": b"first", "large": large, "text": b"/old"}
    stamps = {frame.file: frame.file.stat().st_mtime_ns for frame in frames}
    again = pack(parts, level=1, cache=tmp_path)
    assert again == frames
    assert {frame.file: frame.file.stat().st_mtime_ns for frame in again} == stamps


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
        lambda _: zstandard.compress(b"other bytes"),
        lambda data: zstandard.compress(b"F" + unpacked(data)[1:]),
        lambda _: zstandard.ZstdCompressor(write_content_size=False).compress(b"first"),
    ],
    ids=["empty", "cut", "longer", "flipped bit", "other", "same size", "size not stated"],
)
def test_a_frame_in_the_cache_that_has_other_bytes_is_made_again(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    parts = [Part(path="a", mode=0o644, data=b"first" * 100, how="plain")]
    (frame,) = pack(parts, level=1, cache=tmp_path)
    good = frame.file.read_bytes()
    frame.file.write_bytes(damage(good))
    heard = HeardWarnings()
    assert pack(parts, level=1, cache=tmp_path, reporter=heard) == [frame]
    assert frame.file.read_bytes() == good
    assert heard.lines == [f"{frame.file} is damaged; the frame is compressed again"]


def test_a_frame_that_changes_before_it_is_in_the_payload(tmp_path: Path) -> None:
    frames = pack([Part(path="a", mode=0o644, data=b"first", how="plain")], level=1, cache=tmp_path)
    with PayloadWriter(tmp_path) as payload:
        payload.add(frames)
        assert payload.end(b"signature") == sha256_bytes(frames[0].file.read_bytes() + b"signature")
    frames[0].file.write_bytes(zstandard.compress(b"later"))
    with PayloadWriter(tmp_path) as payload:
        payload.add(frames)
        with pytest.raises(IntegrityError, match="has changed while the image was made"):
            payload.end(b"")


def test_stage0_is_the_same_whatever_the_order(tmp_path: Path) -> None:
    files = [
        Stage0File(path="bin/python", mode=0o755, data=b"x"),
        Stage0File(path="bin/link", mode=0o777, data=b"", link_target="python"),
        Stage0File(path="a.py", mode=0o644, data=b"", mtime=7),
    ]
    write_stage0(files, tmp_path / "one", cache=tmp_path / "cache")
    write_stage0(reversed(files), tmp_path / "two", cache=tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress((tmp_path / "one").read_bytes()))) as tar:
        first = next(iter(tar))
        assert (first.name, first.mtime, first.uid) == ("a.py", 7, 0)


def test_who_needs_a_decoder() -> None:
    assert needs_decoder("3.11.4") == "zstandard"
    assert needs_decoder("3.14.0") is None


@pytest.mark.parametrize("name", ["zstandard", "backports.zstd", "backports-zstd", "backports_zstd"])
def test_a_decoder_is_one_however_it_is_spelled(name: str) -> None:
    assert is_decoder(name)
    assert not is_decoder(f"{name}2")
