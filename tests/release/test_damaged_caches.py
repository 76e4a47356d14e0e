"""A release is made of what its caches should have, whatever they have."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.files import sha256_file
from cuvee.release.record import Release
from tiny_distribution import Distribution

pytestmark = pytest.mark.real

KINDS = {
    "frames": "*/*.zst",
    "bytecode": "*.sqlite",
    "imported": "*/*.conda",
    "interpreters": "*/*.conda",
    "inspections": "*/*.inspection",
    "inspected-wheels": "*/*",
    "infos": "*/*",
    "packed": "*/*",
    "stage0": "*",
}
WHAT_IS_TOLD = {  # an empty database is one without any byte code, and nothing to be told
    "frames": "the frame is compressed again",
    "imported": "the package is made again",
    "interpreters": "the interpreter is packed again",
    "inspections": "the archive is inspected again",
    "inspected-wheels": "/inspected-wheels/",
    "infos": "/infos/",
    "packed": "/packed/",
    "stage0": ".tar.gz is damaged",
}


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip_a_bit, empty])
def test_what_is_damaged_is_made_again(
    copied: Callable[[], Distribution],
    tiny: tuple[Distribution, Release],
    damage: Callable[[Path], None],
) -> None:
    distribution = copied()
    shutil.rmtree(distribution.dist)
    for kind, pattern in KINDS.items():
        found = sorted((distribution.root / "cache" / kind).glob(pattern))
        assert found, kind
        for path in found:
            if kind != "bytecode" or damage is empty:  # a flipped bit may be in a page that nothing uses
                damage(path)
    (path,) = distribution.root.glob("manifests/tiny/*.yaml")
    result = distribution.cut(path)
    made = {item.path: item.sha256 for item in result.artefacts if item.format == "sh"}
    assert made == {item.path: item.sha256 for item in tiny[1].artefacts if item.format == "sh"}
    assert all(sha256_file(result.folder / name) == sha256 for name, sha256 in made.items())
    told = "\n".join(distribution.recorder.lines)
    assert [text for text in WHAT_IS_TOLD.values() if text not in told] == []
