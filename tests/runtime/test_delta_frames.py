"""What a delta's index may say, and which files count as the same."""

import json
from pathlib import Path
from typing import Any

import pytest

from cuvee.image.delta_payload import _compress
from cuvee.runtime.decompression import decompress
from cuvee.runtime.delta_frames import DeltaIndex, pack_head, read_index, resolve, same_files
from cuvee.runtime.failure import DAMAGED, InstallError
from cuvee.runtime.payload_manifest import (
    Frame,
    PayloadFile,
    PayloadManifest,
    PayloadPackage,
    PayloadSettings,
)


def manifest(*files: PayloadFile, more: list[list[PayloadFile]] | None = None) -> PayloadManifest:
    """Make a manifest with one frame, or more."""
    frames = [Frame(0, 0, sum(file.size for file in part), "", part) for part in [list(files), *(more or [])]]
    return PayloadManifest(
        distribution="tiny", version="1", title="Tiny", platform="linux-64", interpreter="bin/python",
        raw_size=0, source_time=0, prefix_limit=None, requested=[], folders=[], stage0=[], stage0_sha256="",
        key=None, settings=PayloadSettings("", "", "", {}, None, False),
        packages=[PayloadPackage("a", "1", "0", "noarch", "", frames, [])], extras=[], records=[],
    )  # fmt: skip


def file(path: str, sha256: str, *, start: int = 0, at: int | None = None, **other: Any) -> PayloadFile:
    how = "plain" if at is None else "piece"
    return PayloadFile(path, 0o644, start, 10, how, sha256, at)._replace(**other)


def test_files_are_the_same_wherever_their_frame_has_them() -> None:
    old = manifest(file("a", "1"), file("b", "2"), file("c", "3"), file("d", "4"))
    new = manifest(
        file("b", "2", start=5), file("a", "1", mode=0o755), file("c", "x"), file("d", "4", how="source")
    )
    assert set(same_files(old, new)) == {"b"}


def test_a_large_file_is_the_same_only_with_all_its_pieces() -> None:
    whole = [file("a", "1", at=0), file("a", "2", at=10)]
    assert set(same_files(manifest(*whole), manifest(*whole[::-1]))) == {"a"}
    for other in ([whole[0]], [whole[0], file("a", "x", at=10)], [*whole, file("a", "3", at=20)]):
        assert same_files(manifest(*whole), manifest(*other)) == {}


@pytest.mark.parametrize("changed", [0, 1])
def test_a_large_file_is_the_same_only_if_it_is_in_all_its_frames(changed: int) -> None:
    before = [[file("a", "1", at=0)], [file("a", "2", at=10), file("b", "3", start=10)]]
    after = [[*part] for part in before]
    assert set(same_files(manifest(more=before), manifest(more=after))) == {"a", "b"}
    after[changed][0] = after[changed][0]._replace(sha256="x")
    assert set(same_files(manifest(more=before), manifest(more=after))) == {"b"}
    good = {"offset": 0, "size": 9, "raw": 20, "sha256": "", "files": [["a", 0], ["a", 10]], "base": []}
    found = resolve(DeltaIndex("0", "", [good], [], 96), manifest(more=after), manifest(more=before))
    assert found.paths() == {"a"}


def test_an_older_file_helps_as_dictionary() -> None:
    old = bytes(range(256)) * 99
    packed = _compress(old[:5000] + b"new" + old[5000:], old)
    assert len(packed) < 80
    assert decompress(packed, len(old) + 3, old) == old[:5000] + b"new" + old[5000:]
    with pytest.raises(InstallError):
        decompress(packed, len(old) + 3)


@pytest.mark.parametrize(
    "change",
    [
        {"files": [["b", 0]]},
        {"files": []},
        {"files": [["a", 0], ["a", 0]]},
        {"files": [["a", 10]]},
        {"files": 3},
        {"base": [["nothing", 0]]},
        {"raw": 11},
        {"offset": -1},
        {"size": 1 << 60},
        {"offset": "x"},
    ],
)
def test_an_index_that_is_not_of_these_releases(change: dict[str, Any]) -> None:
    old, new = manifest(file("a", "1"), file("b", "2")), manifest(file("a", "x"), file("b", "2"))
    good = {"offset": 0, "size": 9, "raw": 10, "sha256": "", "files": [["a", 0]], "base": [["a", 0]]}
    found = resolve(DeltaIndex("0", "", [good], [], 96), new, old)
    assert (found.frames[0].offset, found.paths(), found.used()) == (96, {"a"}, {"a"})
    with pytest.raises(InstallError) as caught:
        resolve(DeltaIndex("0", "", [good | change], [], 96), new, old)
    assert caught.value.code == DAMAGED


def test_where_the_index_is(tmp_path: Path) -> None:
    path = tmp_path / "delta"
    text = json.dumps(
        {"base": {"version": "1", "manifest_sha256": "x"}, "frames": [], "records": []}
    ).encode()
    packed = _compress(text, b"")
    path.write_bytes(b"before" + pack_head(len(packed), len(text), bytes(64)) + packed)
    assert read_index(str(path), 6) == DeltaIndex("1", "x", [], [], 96 + len(packed))
    assert read_index(str(path), 0) is None
    for data, raw in ((b"[]", 2), (packed[:-1], len(text)), (b"", 1 << 40)):
        path.write_bytes(pack_head(len(data), raw, bytes(64)) + data)
        with pytest.raises(InstallError):
            read_index(str(path), 0)
