"""Which program hashes the installer: the quickest that the system has, and each finds a damaged file."""

from pathlib import Path

import pytest

from needed_programs import need, needed
from tiny_release import Release

pytestmark = pytest.mark.real

OTHERS = (
    "cat",
    "df",
    "getconf",
    "gzip",
    "head",
    "id",
    "mkdir",
    "rm",
    "rmdir",
    "sh",
    "tail",
    "tar",
    "tr",
    "uname",
    "wc",
)
HASHES = ("openssl", "sha256sum", "shasum")


def programs(folder: Path, *hashes: str) -> Path:
    """Make a folder for PATH with these programs for hashes only; each writes its name to the file `used`."""
    folder.mkdir()
    for name in OTHERS:
        (folder / name).symlink_to(needed(name))
    for name in hashes:
        path = folder / name
        path.unlink(missing_ok=True)  # not through a link into the system
        path.write_text(f'#!/bin/sh\necho {name} >>"{folder}/used"\nexec {needed(name)} "$@"\n')
        path.chmod(0o755)
    return folder


@pytest.mark.parametrize("number", range(len(HASHES)))
def test_quickest_program_that_there_is(number: int, release: Release, tmp_path: Path) -> None:
    need(*HASHES)
    path = programs(tmp_path / "bin", *HASHES[number:])
    environment = {"PATH": str(path), "OPENSSL_CONF": "/nowhere"}
    done = release.install("--check", environment=environment)
    assert done.exit_code == 0, done.stderr
    assert {*(path / "used").read_text().split()} == {HASHES[number]}
    damaged = tmp_path / "damaged.sh"
    data = bytearray(release.installer.read_bytes())
    data[-100] ^= 1
    damaged.write_bytes(data)
    done = release.install("--check", environment=environment, installer=damaged)
    assert done.exit_code == 5
    assert "its SHA-256 differs" in done.stderr


def test_openssl_that_does_not_work(release: Release, tmp_path: Path) -> None:
    path = programs(tmp_path / "bin", "sha256sum")
    (path / "openssl").write_text("#!/bin/sh\necho broken\nexit 1\n")
    (path / "openssl").chmod(0o755)
    done = release.install("--check", environment={"PATH": str(path)})
    assert (done.exit_code, done.stderr) == (0, "")


def test_no_program_for_hashes(release: Release, tmp_path: Path) -> None:
    path = programs(tmp_path / "bin")
    done = release.install("--check", environment={"PATH": str(path)})
    assert done.exit_code == 3
    assert "sha256sum, shasum or openssl is needed" in done.stderr


@pytest.mark.parametrize("missing", ["wc", "head", "tail", "tar", "gzip"])
def test_a_program_that_is_missing_is_named(release: Release, tmp_path: Path, missing: str) -> None:
    path = programs(tmp_path / "bin", "sha256sum")
    (path / missing).unlink()
    prefix = tmp_path / "prefix"
    done = release.install("-b", "-p", prefix, environment={"PATH": str(path)})
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == f"Error: The program '{missing}' is missing on this system.\n"
    assert not prefix.exists()
