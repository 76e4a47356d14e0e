"""A comparison of release folders reads their records, and nothing else of them."""

import datetime as dt
import json
from pathlib import Path

import pytest

from checked_sets import asked, lock_of, manifest_of, package
from cuvee.cli.main import run
from cuvee.release.record import ChannelResult, LockResult, Release, portable
from cuvee.release.record_parts import RECORD

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def release(root: Path, number: str) -> Path:
    """A folder with the record of a release of ``top``, which depends on ``low`` of the same version."""
    folder = root / f"tiny-2026.11.{number}"
    folder.mkdir()
    lock = lock_of(package("top", number, depends=(f"low {number}.*",)), package("low", number))
    Release(
        manifest=portable(manifest_of(asked("top"))),
        channel=ChannelResult(stage="channel"),
        locked=LockResult(stage="lock", lock=lock),
        made_at=NOW,
        folder=folder,
    ).save()
    return folder


def test_what_is_requested_is_read_from_the_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", str(release(tmp_path, "1")), str(release(tmp_path, "2")), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["package"]: row for row in found["changes"]}
    assert {name: row["requested"] for name, row in rows.items()} == {"top": True, "low": False}
    assert rows["low"]["forced_by"] == ["top depends on low 2.*"]


@pytest.mark.parametrize("text", ["{}", "[]", '{"release": 2}', '{"release": 1, "lock": {}}', "\x00"])
def test_a_record_that_is_damaged_is_an_integrity_error(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = release(tmp_path, "1")
    (folder / RECORD).write_text(text)
    assert run(["diff", str(folder), str(folder)]) == 5
    assert f"{folder / RECORD} cannot be read" in capsys.readouterr().err
