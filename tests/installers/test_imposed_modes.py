"""What is installed has the modes that umasks and default ACLs leave, and `verify` and `repair` know them."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cuvee.image.settings import InstallerSettings
from cuvee.runtime.imposed_modes import FOLDER, imposed_modes
from cuvee.runtime.prefix_state import STATE, load
from cuvee.runtime.verify import expected_files, verify
from installers.conftest import Dress
from needed_programs import needed
from tiny_release import Release

pytestmark = pytest.mark.real

ACLS = (
    "u::rwx,g::---,o::---",
    "u::rwx,g::r-x,o::rwx",
    "u::rwx,u:65534:rwx,g::r-x,m::rwx,o::---",
    "u::rwx,u:65534:r-x,g::r-x,m::r-x,o::r-x",
)


def give_acl(folder: Path, acl: str) -> None:
    """Set the default ACLs of a folder; skip the test if its file system has none."""
    done = subprocess.run(
        [needed("setfacl"), "-d", "-m", acl, folder], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"needs a file system with ACLs: {done.stderr.strip()}")


def run(installer: Path, umask: int, *arguments: str | Path) -> None:
    argv = ["sh", "-c", f'umask {umask:o}; exec sh "$@"', "-", str(installer), *map(str, arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def admin(prefix: Path, *arguments: str) -> None:
    done = subprocess.run(
        [prefix / "bin" / "tiny-admin", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def bits_of_others(prefix: Path) -> list[str]:
    """Return what others may write."""
    paths = [prefix, *prefix.rglob("*")]
    return [str(path) for path in paths if not path.is_symlink() and path.stat().st_mode & stat.S_IWOTH]


@pytest.mark.parametrize("umask", [0o077, 0o027, 0o022, 0o002])
def test_umask_is_applied_to_all(umask: int, release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    run(release.installer, umask, "-b", "-k", "-p", prefix)
    files, _ = expected_files(load(str(prefix)))
    packaged = {prefix / path: file.mode & ~umask & ~0o002 for path, file in files.items() if file.masked}
    wrong = {
        path: oct(path.stat().st_mode)
        for path, mode in packaged.items()
        if path.stat().st_mode & 0o777 != mode
    }
    assert not wrong
    others = [path for path in [prefix, *prefix.rglob("*")] if not path.is_symlink() and path not in packaged]
    assert not [path for path in others if path.stat().st_mode & umask]
    folders = [prefix, *(path for path in prefix.rglob("*") if path.is_dir() and not path.is_symlink())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o777 & ~umask & ~0o002}
    admin(prefix, "verify")


@pytest.mark.parametrize("acl", ACLS)
def test_default_acls(acl: str, release: Release, newer: Release, tmp_path: Path) -> None:
    give_acl(tmp_path, acl)
    prefix = tmp_path / "prefix"
    run(release.installer, 0o022, "-b", "-k", "-p", prefix)
    admin(prefix, "verify")
    assert not bits_of_others(prefix)
    (prefix / "bin" / "tool").unlink()
    (prefix / "share" / "twin" / "a").chmod(0o400)
    admin(prefix, "repair")
    admin(prefix, "verify")
    run(newer.installer, 0o022, "-b", "-u", "-p", prefix)
    admin(prefix, "verify")
    admin(prefix, "rollback")
    admin(prefix, "verify")


def test_folders_are_as_if_made_by_mkdir(release: Release, tmp_path: Path) -> None:
    give_acl(tmp_path, ACLS[2])
    tmp_path.chmod(0o2755)
    prefix, plain = tmp_path / "prefix", tmp_path / "plain"
    run(release.installer, 0o022, "-b", "-p", prefix)
    plain.mkdir()
    argv = [needed("getfacl"), "-cp"]
    wanted = subprocess.run([*argv, plain], capture_output=True, text=True, check=True).stdout
    for path in (prefix, prefix / "bin", prefix / "lib", prefix / "conda-meta" / "cuvee" / "runtime"):
        found = subprocess.run([*argv, path], capture_output=True, text=True, check=True).stdout
        assert found == wanted, path
    assert prefix.stat().st_mode & stat.S_ISGID


def test_an_older_release_recorded_the_umask_only(release: Release, newer: Release, tmp_path: Path) -> None:
    """Its files have other modes than its state says, and those of its stage 0 have all bits."""
    give_acl(tmp_path, ACLS[0])
    prefix = tmp_path / "prefix"
    run(release.installer, 0o022, "-b", "-p", prefix)
    state = json.loads((prefix / STATE).read_text())
    (prefix / STATE).write_text(json.dumps(state | {"masks": [0o022]}))
    interpreter = load(str(prefix)).manifest.interpreter
    (prefix / interpreter).chmod(0o755)
    assert verify(load(str(prefix))).modes
    run(newer.installer, 0o022, "-b", "-u", "-p", prefix)
    admin(prefix, "verify")
    assert not [path for path in prefix.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert load(str(prefix)).state.masks == [0o022, 0o077]


def test_repair_where_acls_came_later(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    run(release.installer, 0o022, "-b", "-k", "-p", prefix)
    give_acl(tmp_path, ACLS[0])
    for path in ("bin/tool", "share/twin/a", "conda-meta/cuvee/runtime/verify.py", "bin/tiny-admin"):
        (prefix / path).unlink()
    run(release.installer, 0o077, "--repair", "-p", prefix)
    admin(prefix, "verify")
    assert (prefix / "share" / "twin" / "a").stat().st_mode & 0o777 == 0o644


def test_repair_without_the_state(release: Release, tmp_path: Path) -> None:
    give_acl(tmp_path, ACLS[0])
    prefix = tmp_path / "prefix"
    run(release.installer, 0o022, "-b", "-k", "-p", prefix)
    (prefix / STATE).unlink()
    run(release.installer, 0o022, "--repair", "-p", prefix)
    admin(prefix, "verify")


def test_nobody_else_looks_into_an_unfinished_prefix(dress: Dress, tmp_path: Path) -> None:
    give_acl(tmp_path, ACLS[2])
    script = 'staged=$(dirname "$(dirname "$0")"); stat -c %a "$staged" >"$(dirname "$staged")/seen"\n'
    settings = InstallerSettings(pre_install=script)
    prefix = tmp_path / "prefix"
    run(dress(settings).installer, 0o022, "-b", "-p", prefix)
    assert (tmp_path / "seen").read_text().strip()[-3:] == "700"
    assert prefix.stat().st_mode & 0o777 == 0o770


_BITS = st.tuples(*[st.integers(0, 7)] * 2).map(lambda bits: (7, *bits))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acl=st.none() | _BITS, umask=st.integers(0, 0o77), mode=st.integers(0, 0o777))
def test_the_mask_is_what_the_kernel_applies(
    acl: tuple[int, int, int] | None, umask: int, mode: int, tmp_path: Path
) -> None:
    folder = tmp_path / f"{acl}-{umask}-{mode}"
    folder.mkdir(exist_ok=True)
    if acl is not None:
        names = ["---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"]
        give_acl(folder, ",".join(f"{who}::{names[bits]}" for who, bits in zip("ugo", acl, strict=True)))
    before = os.umask(umask)
    try:
        imposed = imposed_modes(str(folder))
        mode &= ~stat.S_IWOTH
        os.close(os.open(folder / "file", os.O_CREAT | os.O_WRONLY, mode))
        (folder / "folder").mkdir(FOLDER)
    finally:
        os.umask(before)
    assert (folder / "file").stat().st_mode & 0o777 == mode & ~imposed.mask
    assert stat.S_IMODE((folder / "folder").stat().st_mode) == imposed.folder
    assert {path.name for path in folder.iterdir()} == {"file", "folder"}
    (folder / "file").unlink()
    (folder / "folder").rmdir()
