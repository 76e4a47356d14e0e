"""conda's own tools work with a prefix that our installer has made."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from needed_programs import need
from tiny_release import Release

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def prefix(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installed release, which the tests here leave as it is."""
    prefix = tmp_path_factory.mktemp("tools") / "prefix"
    done = release.install("-b", "-p", prefix)
    assert done.ok, done.stderr
    return prefix


def stems(release: Release) -> set[str]:
    return {package.stem for package in release.lock.packages}


def test_records_are_all_that_conda_meta_has_of_json(prefix: Path, release: Release) -> None:
    """conda's tools take every ``conda-meta/*.json`` for the record of a package."""
    assert {path.stem for path in (prefix / "conda-meta").glob("*.json")} == stems(release)


def test_rattler_removes_what_is_not_requested(release: Release, tmp_path: Path) -> None:
    import rattler

    place = tmp_path / "prefix"
    assert release.install("-b", "-p", place).ok
    asyncio.run(
        rattler.install(
            [],
            target_prefix=place,
            cache_dir=tmp_path / "cache",
            show_progress=False,
            platform=rattler.Subdir(release.lock.platform),
        )
    )
    assert not list((place / "conda-meta").glob("*.json"))
    assert not (place / "etc" / "place.conf").exists()
    assert (place / "conda-meta" / "cuvee" / "state.json").exists()


def test_conda_pack_packs_the_prefix(prefix: Path, release: Release, tmp_path: Path) -> None:
    if importlib.util.find_spec("conda_pack") is None:
        pytest.skip("needs conda-pack, of the extra test: pip install -e '.[test]'")
    packed, moved = tmp_path / "packed.tar", tmp_path / "moved"
    argv = [sys.executable, "-m", "conda_pack.cli", "-q", "-p", str(prefix), "-o", str(packed)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with tarfile.open(packed) as archive:
        archive.extractall(moved)  # noqa: S202 - Debian's Python 3.11 has no filters
    environment = {**os.environ, "PATH": f"{moved / 'bin'}:{os.environ['PATH']}"}  # its scripts need that
    subprocess.run([moved / "bin" / "conda-unpack"], check=True, env=environment)
    told = subprocess.run(
        [moved / "bin" / "tool", "x"], check=True, env=environment, capture_output=True, text=True
    )
    assert told.stdout.startswith(str(moved))
    assert {path.stem for path in (moved / "conda-meta").glob("*.json")} == stems(release)


def test_conda_reads_and_changes_the_prefix(prefix: Path, release: Release, tmp_path: Path) -> None:
    need("conda")
    place = tmp_path / "prefix"
    assert release.install("-b", "-p", place).ok
    environment = {**os.environ, "CONDA_PKGS_DIRS": str(tmp_path / "pkgs"), "HOME": str(tmp_path)}

    def conda(*arguments: str) -> str:
        argv = [shutil.which("conda") or "", *arguments, "-p", str(place)]
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    listed = json.loads(conda("list", "--json"))
    assert {f"{row['name']}-{row['version']}-{row['build_string']}" for row in listed} == stems(release)
    assert "tools=1.0" in conda("env", "export")
    assert "tools" in conda("remove", "--dry-run", "--offline", "tools")
    conda("doctor")
