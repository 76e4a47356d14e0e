"""Wheels are inspected once; what has changed is inspected again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.channel.wheels import kept_inspections
from cuvee.channel.wheels.kept_inspections import InspectedFile, inspected_file
from cuvee.channel.wheels.planned_packages import inspect
from cuvee.errors import IntegrityError
from cuvee.files import sha256_file

MakeWheel = Callable[..., Path]
METADATA = """Metadata-Version: 2.4
Name: demo
Version: 1.0
Requires-Python: >=3.9
Requires-Dist: six (>=1.0)
Requires-Dist: a[b,c]>=1,!=1.5 ; (python_version < "3.12" and extra == 'test')
Requires-Dist: d @ https://example.org/d.whl
Requires-Dist: old >=3.6.*
Provides-Extra: test
License-Expression: MIT
Summary: What it is
"""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the list of the wheels that are opened."""
    found: list[Path] = []

    def noted(path: Path, **named: str) -> object:
        found.append(path)
        return inspect(path, **named)

    monkeypatch.setattr(kept_inspections, "inspect", noted)
    return found


def looked_into(path: Path, cache: Path, stated: Path | None = None, *, url: str = "u") -> InspectedFile:
    return inspected_file(path, stated, file_name=path.name, sha256=sha256_file(path), url=url, cache=cache)


def test_what_is_kept_is_what_was_found(make_wheel: MakeWheel, tmp_path: Path, opened: list[Path]) -> None:
    path, stated, cache = make_wheel(metadata=METADATA), tmp_path / "stated", tmp_path / "cache"
    stated.write_text(METADATA)
    first = looked_into(path, cache, stated)
    assert first.compared
    assert first.wheel.metadata.repairs
    assert looked_into(path, cache, stated) == first
    assert looked_into(path, cache, stated, url="v").wheel.url == "v"
    assert opened == [path]
    assert not looked_into(path, cache).compared, "without what the index states, nothing was compared"


def test_another_wheel_and_another_statement_are_looked_at(
    make_wheel: MakeWheel, tmp_path: Path, opened: list[Path]
) -> None:
    path, stated, cache = make_wheel(metadata=METADATA), tmp_path / "stated", tmp_path / "cache"
    stated.write_text(METADATA)
    looked_into(path, cache, stated)
    stated.write_text(METADATA.replace("six", "seven"))
    for _ in range(2):
        with pytest.raises(IntegrityError, match="its METADATA is not what its index states"):
            looked_into(path, cache, stated)
    make_wheel(metadata=METADATA, entry_points="[console_scripts]\ndemo = demo:main\n")
    assert looked_into(path, cache).wheel.has_scripts
    assert len(opened) == 4


def test_a_damaged_entry_is_made_again(make_wheel: MakeWheel, tmp_path: Path, opened: list[Path]) -> None:
    path, cache = make_wheel(metadata=METADATA), tmp_path / "cache"
    first = looked_into(path, cache)
    (kept,) = (file for file in cache.rglob("*") if file.is_file())
    kept.write_bytes(kept.read_bytes().replace(b"MIT", b"BSD"))
    assert looked_into(path, cache) == first
    assert len(opened) == 2
