"""Packages larger than memory: their files wait in a spool, and one frame at a time is in memory."""

import errno
import io
import json
import random
import struct
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.byte_code.byte_compiler import ByteCompiler, PythonSource
from cuvee.channel.package_writer import PLACEHOLDER, PackageContent, PackageFile, write_package
from cuvee.conda.package_info import read_info
from cuvee.errors import IntegrityError, StorageError
from cuvee.files import sha256_bytes
from cuvee.image import frames, packer, spool
from cuvee.image.extra_files import extra_parts
from cuvee.image.frames import Part
from cuvee.image.link_plan import plan_package
from cuvee.image.model import ReleaseLabel
from cuvee.image.packer import PackedPackage, Packer
from cuvee.image.python_paths import PythonPaths
from cuvee.image.settings import ExtraFile, InstallerSettings
from cuvee.image.spool import Spool
from cuvee.lock.model import PlatformLock
from cuvee.platforms import get

MIB = 1 << 20
PYTHON = PythonPaths(
    platform=get("linux-64"),
    version="3.11",
    full_version="3.11.4",
    site_packages="lib/python3.11/site-packages",
)


class Compiler(ByteCompiler):
    """Makes something of each source; ``together`` is how many there were at a time."""

    def __init__(self) -> None:
        self.together: list[int] = []

    def compile(self, sources: Sequence[PythonSource], *, time: int) -> list[bytes | None]:
        self.together.append(len(sources))
        return [source.name.encode() for source in sources]


def pack(archive: Path, cache: Path, *, compiler: ByteCompiler | None = None) -> PackedPackage:
    info = read_info(archive)
    packer = Packer(python=PYTHON, stage0={"lib/a.so"}, compiler=compiler, cache=cache, level=1)
    return packer.pack(info, plan_package(info, PYTHON, launcher=None))


def package(folder: Path, *files: PackageFile) -> Path:
    content = PackageContent(
        name="large", version="1", build="0", subdir="linux-64", timestamp=0, files=files
    )
    return write_package(content, folder)


@contextmanager
def memory_below(limit: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def test_memory_is_bounded_by_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "IN_MEMORY", 30 * MIB)
    noise = random.Random(1).randbytes(24 * MIB)  # noqa: S311 - what unpacks to far more is refused
    files = (PackageFile(path=f"share/{number}", content=noise) for number in range(8))
    archive = package(tmp_path, *files)
    # The first file stays in memory, the others are on disk; a frame may be a piece longer than its own 8.
    with memory_below(100 * MIB):
        packed = pack(archive, tmp_path / "cache")
    assert sum(frame.raw for frame in packed.frames) == 8 * len(noise)
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"frames"}


def test_what_waits_on_disk_gives_the_same_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{PLACEHOLDER}/x".encode()
    archive = package(
        tmp_path,
        PackageFile(path="lib/a.so", content=b"early"),
        PackageFile(path="lib/b", content=bytes(range(256)) * 400),
        PackageFile(path="lib/empty", content=b""),
        PackageFile(path="lib/link", content=b"", link_target="b"),
        PackageFile(path="etc/c", content=text, placeholder=PLACEHOLDER),
        *(
            PackageFile(path=f"lib/python3.11/site-packages/m{number}.py", content=b"x = 1\n" * number)
            for number in range(5)
        ),
    )
    monkeypatch.setattr(frames, "PIECE_BYTES", 30_000)
    monkeypatch.setattr(frames, "FRAME_BYTES", 40_000)
    at_once, batched = Compiler(), Compiler()
    expected = pack(archive, tmp_path / "cache", compiler=at_once)
    monkeypatch.setattr(spool, "IN_MEMORY", 100)
    monkeypatch.setattr(packer, "_COMPILED_AT_ONCE", 12)
    assert pack(archive, tmp_path / "cache", compiler=batched) == expected
    assert (at_once.together, batched.together) == ([5], [3, 1, 1])
    assert [file.data for file, _ in expected.stage0] == [b"early"]


def test_byte_code_that_a_package_has_is_not_made_again(tmp_path: Path) -> None:
    source = "lib/python3.11/site-packages/m.py"
    compiled = bytes(8) + struct.pack("<II", 1_500_000_000, 5) + b"code"
    archive = package(
        tmp_path,
        PackageFile(path=source, content=b"x = 1"),
        PackageFile(path=PYTHON.pyc_path(source), content=compiled),
    )
    compiler = Compiler()
    packed = pack(archive, tmp_path / "cache", compiler=compiler)
    assert compiler.together == []
    listed = json.loads(f"{{{packed.files.record}}}")["files"]
    assert listed == sorted([source, PYTHON.pyc_path(source)])
    (frame,) = packed.frames
    assert [entry[4:5] + entry[6:] for entry in frame.entries] == [("plain",), ("source", 1_500_000_000)]


def test_extra_files_are_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(64 * MIB))
    lock = PlatformLock(platform="linux-64", packages=(), virtual_packages=())
    label = ReleaseLabel(distribution="tiny", version="1", title="Tiny")
    digest = sha256_bytes(source.read_bytes())
    extra = ExtraFile(source=source, target="share/large", sha256=digest, executable=False)
    monkeypatch.setattr(spool, "IN_MEMORY", 32 * MIB)
    with Spool(tmp_path) as kept, memory_below(48 * MIB):
        parts = extra_parts(lock, label, InstallerSettings(extra_files=(extra,)), b"", kept)
        assert [(part.path, part.size) for part in parts[1:]] == [("share/large", 64 * MIB)]
    source.write_bytes(b"other")
    with Spool(tmp_path) as kept, pytest.raises(IntegrityError, match="has changed"):
        extra_parts(lock, label, InstallerSettings(extra_files=(extra,)), b"", kept)


@given(
    contents=st.lists(st.lists(st.binary(max_size=40), max_size=4), max_size=6),
    limit=st.integers(1, 100),
    at=st.integers(0, 50),
    size=st.integers(1, 50),
)
def test_what_is_kept_comes_back(
    contents: list[list[bytes]], limit: int, at: int, size: int, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch, Spool(tmp_path) as kept:
        patch.setattr(spool, "IN_MEMORY", limit)
        found = [kept.add(iter(chunks)) for chunks in contents]
        for item, chunks in zip(found, contents, strict=True):
            whole = b"".join(chunks)
            assert (item.size, item.sha256) == (len(whole), sha256_bytes(whole))
            assert (item.read(), item.read(size)) == (whole, whole[:size])
            if at < len(whole):
                lazy = Part(path="x", mode=0o644, data=item, how="plain").piece(at, size)
                eager = Part(path="x", mode=0o644, data=whole, how="plain").piece(at, size)
                assert (lazy.read(), lazy.size, lazy.sha256) == (eager.read(), eager.size, eager.sha256)
    assert list(tmp_path.iterdir()) == []


def test_files_in_memory_are_not_copied(tmp_path: Path) -> None:
    with Spool(tmp_path) as kept:
        content = bytes(range(256))
        assert kept.add([content]).read() is content


class Full(io.FileIO):
    """A file on a disk without space."""

    def write(self, _data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = package(tmp_path, PackageFile(path="lib/a", content=b"a"))
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full(tmp_path / "file", "r+"))
    monkeypatch.setattr(spool, "IN_MEMORY", 0)
    with pytest.raises(StorageError, match="No space left"):
        pack(archive, tmp_path / "cache")
