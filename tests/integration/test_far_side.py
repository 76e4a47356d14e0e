"""What runs on another machine, several times at once in one folder."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cuvee.integration.inside.far_side import make_link


def test_jobs_that_send_one_link_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, symlink, both = tmp_path / "python3.11", os.symlink, threading.Barrier(2, timeout=30)

    def symlink_together(target: str, path: str) -> None:
        both.wait()  # neither has found it
        symlink(target, path)

    monkeypatch.setattr(os, "symlink", symlink_together)
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(make_link, str(place), "../release/bin/python3.11") for _ in range(2)]:
            future.result()
    assert [path.name for path in tmp_path.iterdir()] == [place.name]
    assert str(place.readlink()) == "../release/bin/python3.11"


def test_a_link_that_leads_elsewhere_now(tmp_path: Path) -> None:
    place = tmp_path / "python"
    place.symlink_to("python3.10")
    for _ in range(2):
        make_link(str(place), "python3.11")
    assert str(place.readlink()) == "python3.11"
