"""A lock over which rattler's parser would take minutes is refused before it sees it."""

from pathlib import Path

import pytest

from cuvee.errors import SourceUnreachableError
from cuvee.lock.pixi_lock import open_pixi, read_lock


def test_our_own_lock_is_looked_at_before_it_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "pixi.lock"
    path.write_text("version: 6\nenvironments: " + "[" * 100_000, encoding="utf-8")
    with pytest.raises(ValueError, match="nested too deeply"):
        open_pixi(path)
    with pytest.raises(SourceUnreachableError, match=r"cannot be read as a lock: it is nested too deeply"):
        read_lock(path)
