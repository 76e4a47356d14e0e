"""The cache folder: it belongs to its user only."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from cuvee import api
from cuvee.cache_folder import own_cache
from cuvee.cli.main import cli
from cuvee.errors import UsageError
from needed_programs import need_root


def test_it_is_made_for_its_user_alone(tmp_path: Path) -> None:
    umask = os.umask(0o002)
    try:
        made = own_cache(tmp_path / "a" / "cache")
    finally:
        os.umask(umask)
    assert made.stat().st_mode & 0o777 == 0o700
    assert own_cache(made) == made


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o702])
def test_one_that_others_can_write_is_refused_with_what_corrects_it(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    with pytest.raises(UsageError) as caught:
        own_cache(tmp_path)
    assert f"chmod go-w {tmp_path}" in str(caught.value.hint)
    tmp_path.chmod(mode & ~0o022)
    assert own_cache(tmp_path) == tmp_path


def test_one_of_another_user_is_refused(tmp_path: Path) -> None:
    need_root("giving a folder to another user")
    os.chown(tmp_path, 12345, 12345)
    with pytest.raises(UsageError, match="belongs to another user"):
        own_cache(tmp_path)


def test_one_that_can_not_be_made_is_left_to_who_needs_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert own_cache(tmp_path / "file" / "cache") == tmp_path / "file" / "cache"


def test_commands_and_the_api_refuse_it(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    done = CliRunner().invoke(cli, ["release", "x.yaml", "--cache", str(tmp_path)], standalone_mode=False)
    assert isinstance(done.exception, UsageError)
    with pytest.raises(UsageError, match="Other users can write"):
        api.check_channel(tmp_path, cache=tmp_path)
