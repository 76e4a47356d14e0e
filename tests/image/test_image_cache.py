"""Images made again: what has not changed is not opened, and what the cache has is checked."""

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cuvee import process
from cuvee.byte_code.byte_compiler import ByteCompiler
from cuvee.channel.package_writer import PackageContent, PackageFile
from cuvee.conda.package_info import PackageInfo, read_info
from cuvee.errors import BlockedError, IntegrityError
from cuvee.image import archive_members, cached_infos, packer, packing
from cuvee.image import build as building
from cuvee.image.archive_members import ArchiveMember
from cuvee.image.model import Image
from cuvee.image.spool import Spool
from cuvee.progress import Silent
from heard_warnings import HeardWarnings
from small_images import DECODER, PYTHON, TOOL, build, windows

PACKAGES = (PYTHON, DECODER, TOOL, windows("native", "Library/bin/native.dll"))


def parts(image: Image) -> tuple[str, str, str]:
    return image.manifest_sha256, image.stage0_sha256, image.payload_sha256


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the packages that were opened since."""
    names: set[str] = set()

    def members(info: PackageInfo, spool: Spool) -> Iterator[ArchiveMember]:
        names.add(info.index.name)
        return archive_members.read_members(info, spool)

    def read(archive: Path) -> PackageInfo:
        info = read_info(archive)
        names.add(info.index.name)
        return info

    monkeypatch.setattr(cached_infos, "read_info", read)
    monkeypatch.setattr(packer, "read_members", members)
    monkeypatch.setattr(building, "read_members", members)
    return names


def test_only_changed_packages_are_opened(tmp_path: Path, opened: set[str]) -> None:
    first = build(tmp_path, *PACKAGES)
    assert opened == {"python", "zstandard", "tool", "native"}
    opened.clear()
    assert parts(build(tmp_path, *PACKAGES)) == parts(first)
    assert opened == set()
    changed = windows("native", "Library/bin/native.dll", "Library/bin/more.dll", version="2")
    again = build(tmp_path, *PACKAGES[:3], changed)
    assert opened == {"native"}
    assert parts(build(tmp_path / "anew", *PACKAGES[:3], changed)) == parts(again)


@pytest.mark.parametrize("value", [b"", b"a bit"], ids=["empty", "flipped"])
@pytest.mark.parametrize("kind", ["frames", "infos", "packed", "stage0"])
def test_what_is_damaged_is_not_used(kind: str, value: bytes, tmp_path: Path) -> None:
    first = build(tmp_path, *PACKAGES)
    damaged = [path for path in sorted((tmp_path / "cache" / kind).rglob("*")) if path.is_file()]
    assert damaged
    for path in damaged:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data if value else b"")
    heard = HeardWarnings()
    assert parts(build(tmp_path, *PACKAGES, reporter=heard)) == parts(first)
    assert all(any(str(path) in line for line in heard.lines) for path in damaged)


def test_a_frame_that_is_missing_is_made_again(tmp_path: Path) -> None:
    first = build(tmp_path, *PACKAGES)
    for path in (tmp_path / "cache" / "frames").rglob("*.zst"):
        path.unlink()
    assert parts(build(tmp_path, *PACKAGES)) == parts(first)


SOURCE = PackageContent(
    name="source", version="1", build="0", subdir="win-64", timestamp=0,
    files=(PackageFile(path="Lib/site-packages/source.py", content=b"x = 1"),),
)  # fmt: skip


@pytest.mark.real
def test_processes_pack_what_threads_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def compiler(folder: Path) -> ByteCompiler:
        return ByteCompiler(Path(sys.executable), folder)

    python = windows(
        "python",
        *(file.path for file in PYTHON.files),
        version=f"{sys.version_info[0]}.{sys.version_info[1]}.1",
    )
    here = build(tmp_path / "here", python, DECODER, TOOL, SOURCE, compiler=compiler(tmp_path / "one"))
    monkeypatch.setattr(packing, "WORTH_IT", 0)
    monkeypatch.setattr(packer.Packer, "pack", None)
    there = build(tmp_path / "there", python, DECODER, TOOL, SOURCE, compiler=compiler(tmp_path / "two"))
    assert parts(there) == parts(here)


@pytest.mark.real
def test_packages_are_packed_while_stage0_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = threading.Event()

    class Heard(Silent):
        def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
            if note == "tool":
                packed.set()

    def choose(*arguments: Any) -> frozenset[str]:
        assert packed.wait(timeout=300), "tool is packed only when stage 0 is known"
        return chosen(*arguments)

    chosen = building._choose_stage0
    monkeypatch.setattr(packing, "WORTH_IT", 0)
    monkeypatch.setattr(building, "_choose_stage0", choose)
    there = build(tmp_path / "there", *PACKAGES, reporter=Heard())
    monkeypatch.undo()
    assert parts(build(tmp_path / "here", *PACKAGES)) == parts(there)


@pytest.mark.real
def test_no_process_is_left_if_no_installer_could_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def talk_to(*arguments: Any, **options: Any) -> Any:
        started.append(talk(*arguments, **options))
        return started[-1]

    talk = process.talk_to
    monkeypatch.setattr(packing, "WORTH_IT", 0)
    monkeypatch.setattr(process, "talk_to", talk_to)
    with pytest.raises(BlockedError, match="decompress zstd"):
        build(tmp_path, PYTHON, TOOL)
    assert started
    assert all(program.poll() is not None for program in started)
    assert not (tmp_path / "image").exists()


@pytest.mark.real
def test_a_broken_package_ends_the_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = PackageFile(path="share/link", content=b"", link_target="/etc/passwd")
    evil = PackageContent(name="evil", version="1", build="0", subdir="win-64", timestamp=0, files=(link,))
    monkeypatch.setattr(packing, "WORTH_IT", 0)
    with pytest.raises(IntegrityError, match="links share/link out of the prefix") as caught:
        build(tmp_path, PYTHON, DECODER, evil)
    assert caught.value.hint == "The package is broken or hostile; take it from another source."


@pytest.mark.real
def test_modules_of_the_working_folder_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "a folder that somebody sent"
    for name in ("cuvee", "pickle", "zstandard"):
        (work / name).mkdir(parents=True)
        (work / name / "__init__.py").write_text("raise SystemExit('this is not ours')")
    monkeypatch.chdir(work)
    monkeypatch.setattr(packing, "WORTH_IT", 0)
    monkeypatch.setattr(packer.Packer, "pack", None)
    assert build(tmp_path / "image", PYTHON, DECODER, TOOL).files
