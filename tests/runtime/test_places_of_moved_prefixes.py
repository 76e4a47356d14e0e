"""What a prefix says of the places where it was before is believed as far as it can do no harm."""

import os
from pathlib import Path

import pytest

from cuvee.runtime import moved_prefix
from cuvee.runtime.prefix_state import MARKER, OutsideFiles, PrefixState


def state(place: Path, *former: Path) -> PrefixState:
    outside = OutsideFiles(former=list(map(str, former)))
    return PrefixState(str(place), "", [0o022], 1, {}, {}, outside=outside)


def test_places_without_a_release_are_its_own(tmp_path: Path) -> None:
    old, older, taken = tmp_path / "old", tmp_path / "older", tmp_path / "taken"
    (taken / MARKER).parent.mkdir(parents=True)
    (taken / MARKER).touch()
    older.mkdir()
    prefix = str(tmp_path / "new")
    assert moved_prefix.names(prefix, state(old, older, taken)) == [prefix, str(old), str(older)]


def test_on_windows_no_folder_that_is_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write in a prefix could have the system's folders removed from PATH."""
    gone, system = tmp_path / "gone", tmp_path / "system32"
    system.mkdir()
    prefix = str(tmp_path / "new")
    with monkeypatch.context() as context:
        context.setattr(os, "name", "nt")
        found = moved_prefix.names(prefix, state(system, gone))
    assert found == [prefix, str(gone)]
