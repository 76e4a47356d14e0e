"""What surrounds an installer: options of shells, a log that cannot be written, a link, little space."""

import json
import os
from pathlib import Path

import pytest

from cuvee import process
from cuvee.image.settings import InstallerSettings
from installers.conftest import Dress
from needed_programs import HANGING, need, need_root
from tiny_release import Release

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("shell", "environment"),
    [
        (("bash", "-o", "pipefail"), {}),
        (("bash",), {"SHELLOPTS": "pipefail:noclobber:noglob:allexport"}),
        (("bash",), {"BASHOPTS": "failglob:nocasematch:nullglob"}),
        (("zsh",), {}),
        (("zsh", "--emulate", "sh", "-o", "pipefail"), {}),
    ],
    ids=str,
)
def test_options_of_shells(
    shell: tuple[str, ...], environment: dict[str, str], release: Release, tmp_path: Path
) -> None:
    need(shell[0])
    prefix = tmp_path / "a b"
    done = release.install("-b", "-k", "-p", prefix, shell=shell, environment=environment)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (prefix / "conda-meta" / "cuvee" / "installer.sh").exists()
    assert release.install("--repair", "-p", prefix, shell=shell, environment=environment).ok


def test_log_that_cannot_be_written(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "py"
    done = release.install("-b", "-p", prefix, "--log", tmp_path / "nowhere" / "log")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == f"Error: The log {tmp_path}/nowhere/log cannot be written.\n"
    assert not list(tmp_path.iterdir())


def test_log_that_is_full_becomes_a_warning(release: Release, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.symlink_to("/dev/full")
    done = release.install("-b", "-p", tmp_path / "py", "--log", log)
    assert done.exit_code == 0
    assert done.stderr == f"Warning: the log {log} cannot be written: No space left on device\n"


def test_prefix_that_is_a_link(release: Release, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "py").symlink_to("real")
    done = release.install("-b", "-f", "-p", tmp_path / "py")
    assert done.exit_code == 1
    assert done.stderr == f"Error: {tmp_path}/py is a link. Name the folder itself: {tmp_path}/real\n"


def test_little_space_for_temporary_files(release: Release) -> None:
    need("unshare")
    need_root()
    script = 'mount -t tmpfs -o size=1m none /mnt; TMPDIR=/mnt exec sh "$0" --list'
    argv = ("unshare", "-m", "sh", "-c", script, str(release.installer))
    done = process.run(process.Request(argv=argv, timeout=HANGING))
    assert done.exit_code == 1
    assert done.stderr == "Error: Unpacking to /mnt failed. Is the disk full?\n"


def test_life_without_proc(release: Release, tmp_path: Path) -> None:
    """A container or a chroot may have no /proc, where libraries look for the program's own name."""
    need("unshare")
    need_root()
    prefix = tmp_path / "a b"
    script = 'mount -t tmpfs none /proc && exec "$@"'

    def without_proc(*argv: str | Path) -> process.Completed:
        words = ("unshare", "-m", "sh", "-c", script, "sh", *map(str, argv))
        return process.run(process.Request(argv=words, timeout=HANGING))

    admin = prefix / "bin" / "tiny-admin"
    steps: tuple[tuple[str | Path, ...], ...] = (
        ("sh", release.installer, "--check"),
        ("sh", release.installer, "-b", "-k", "-p", prefix),
        (prefix / "bin" / "python", "-c", "import sys; assert sys.prefix == sys.argv[1]", prefix),
        (admin, "verify"),
        ("sh", release.installer, "-b", "-u", "-p", prefix),
        ("sh", release.installer, "--repair", "-p", prefix),
        (admin, "uninstall"),
    )
    for argv in steps:
        done = without_proc(*argv)
        assert (done.exit_code, done.stderr) == (0, ""), argv
    assert not prefix.exists()
    assert [path.name for path in tmp_path.iterdir()] == []


def test_scripts_get_nothing_that_is_for_another_python(dress: Dress, tmp_path: Path) -> None:
    script = '"$PREFIX/bin/python" -c "import os, json; print(json.dumps(dict(os.environ)))"'
    release = dress(InstallerSettings(post_install=script, pre_uninstall=script))
    prefix = tmp_path / "py"
    other = {
        "PYTHONHOME": "/nowhere",
        "PYTHONPATH": "/nowhere",
        "PYTHONSTARTUP": "/nowhere/x.py",
        "MINE": "1",
    }
    done = release.install("-b", "-p", prefix, environment=other)
    assert done.exit_code == 0, done.stderr
    argv = (str(prefix / "bin" / "tiny-admin"), "uninstall")
    environment = {"PATH": os.environ["PATH"], **other}
    removed = process.run(process.Request(argv=argv, environment=environment, timeout=HANGING))
    assert removed.exit_code == 0, removed.stderr
    for output in (done.stdout, removed.stdout):
        seen = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
        assert seen["MINE"] == "1"
        assert not [name for name in seen if name.startswith("PYTHON")]
