"""What a hostile archive can make a reader unpack."""

import io
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from cuvee.channel.inspection.inspect_archive import inspect_archive
from cuvee.conda import package_archive
from cuvee.conda.package_archive import member_data, members, unpacked_limit
from cuvee.conda.package_info import read_index, read_info
from cuvee.errors import IntegrityError
from cuvee.image.archive_members import read_members
from cuvee.image.spool import Spool
from hand_made_archives import entry, old_package, regular

ZEROS = 4 << 20


def old(folder: Path, name: str, content: bytes) -> Path:
    return old_package(folder, [regular(name, content)], [entry(name, content)])


def new(folder: Path, name: str, content: bytes) -> Path:
    source = old(folder, name, content)
    parts = {"info": io.BytesIO(), "pkg": io.BytesIO()}
    with tarfile.open(source) as tar:
        found = [(member, (tar.extractfile(member) or io.BytesIO()).read()) for member in tar]
    for part, stream in parts.items():
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for member, data in found:
                if member.name.startswith("info/") == (part == "info"):
                    tar.addfile(member, io.BytesIO(data))
    target = folder / source.name.replace(".tar.bz2", ".conda")
    with zipfile.ZipFile(target, "w") as archive:
        for part, stream in parts.items():
            archive.writestr(f"{part}-{target.stem}.tar.zst", zstandard.compress(stream.getvalue(), 19))
    source.unlink()
    return target


def unpack(archive: Path) -> None:
    with Spool(archive.parent) as spool:
        list(read_members(read_info(archive), spool))


@pytest.mark.parametrize("make", [old, new])
@pytest.mark.parametrize("read", [unpack, inspect_archive])
def test_a_bomb_is_refused_before_it_is_unpacked(
    make: Callable[[Path, str, bytes], Path],
    read: Callable[[Path], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = make(tmp_path, "zeros", bytes(ZEROS))
    read(archive)  # it is below what any archive may have
    monkeypatch.setattr(package_archive, "RATIO_FLOOR", 100_000)
    assert unpacked_limit(archive.stat().st_size) < ZEROS
    with pytest.raises(IntegrityError, match=r"is refused: it unpacks to more than .* bytes from") as caught:
        read(archive)
    assert archive.name in caught.value.message


@pytest.mark.parametrize("make", [old, new])
def test_metadata_are_no_way_around_it(
    make: Callable[[Path, str, bytes], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make(tmp_path, "info/recipe/zeros", bytes(ZEROS))
    monkeypatch.setattr(package_archive, "RATIO_FLOOR", 100_000)
    for read in (read_index, read_info, inspect_archive):
        with pytest.raises(IntegrityError, match="unpacks to more than"):
            read(archive)


@pytest.mark.parametrize("size", [1 << 40, -1])
def test_a_header_that_states_any_size_is_not_believed(size: int, tmp_path: Path) -> None:
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, size
    target = tmp_path / "long-1-0.conda"
    with zipfile.ZipFile(target, "w") as archive:
        data = name.tobuf(tarfile.GNU_FORMAT) + bytes(10_000)
        archive.writestr("info-long-1-0.tar.zst", zstandard.compress(data))
    tracemalloc.start()
    with pytest.raises(IntegrityError, match="long-1-0"):
        read_info(target)
    assert tracemalloc.get_traced_memory()[1] < 2 * package_archive.RATIO_FLOOR
    tracemalloc.stop()


def test_members_are_read_in_their_order(tmp_path: Path) -> None:
    archive = old(tmp_path, "a", b"first")
    found = list(members(archive, "info"))
    with pytest.raises(tarfile.StreamError, match="in their order"):
        member_data(*found[0], 100)


def test_a_sparse_file_counts_as_what_it_becomes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tarfile.TarInfo("hole")
    info.size = 0
    info.pax_headers = {
        "GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,0",
        "GNU.sparse.size": str(1 << 33), "GNU.sparse.numblocks": "1",
    }  # fmt: skip
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(info)
    archive = tmp_path / "odd-1.0-0.conda"
    with zipfile.ZipFile(archive, "w") as outer:
        outer.writestr("pkg-odd-1.0-0.tar.zst", zstandard.compress(stream.getvalue()))
    with pytest.raises(IntegrityError, match="unpacks to more than"):
        list(members(archive, "pkg"))


@pytest.mark.parametrize("names", [(), ("pkg-odd-1.0-0.tar.zst", "pkg-odd-1.0-0-x.tar.zst")])
def test_components_that_are_missing_or_two(names: tuple[str, ...], tmp_path: Path) -> None:
    archive = tmp_path / "odd-1.0-0.conda"
    with zipfile.ZipFile(archive, "w") as outer:
        for name in names:
            outer.writestr(name, b"")
    with pytest.raises(ValueError, match=f"it has {len(names)} members"):
        list(members(archive, "pkg"))
