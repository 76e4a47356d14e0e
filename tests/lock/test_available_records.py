from pathlib import Path

import pytest

from cuvee.channel.connection import connect
from cuvee.errors import SourceUnreachableError
from cuvee.lock.available_records import available_records


def test_records_of_a_name_on_each_platform(channel_folder: Path, tmp_path: Path) -> None:
    connection = connect(tmp_path / "cache")
    found = available_records(
        [str(channel_folder)], ["linux-64", "win-64"], ["base", "python", "absent"], connection
    )
    stems = {key: sorted(record.stem for record in records) for key, records in found.items()}
    assert stems["linux-64", "base"] == ["base-1.0-py_0", "base-1.5-py_0", "base-2.0-py_0"]
    assert stems["win-64", "base"] == stems["linux-64", "base"]
    assert ("linux-64", "absent") not in stems
    assert {record.platform for record in found["win-64", "python"]} == {"win-64"}


def test_a_channel_that_can_not_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "channel" / "linux-64").mkdir(parents=True)
    (tmp_path / "channel" / "linux-64" / "repodata.json").write_text("{broken")
    with pytest.raises(SourceUnreachableError):
        available_records([str(tmp_path / "channel")], ["linux-64"], ["base"], connect(tmp_path / "cache"))
