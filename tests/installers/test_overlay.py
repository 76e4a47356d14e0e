"""A release in a lower layer of overlayfs, as in a container whose image has it."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from cuvee.runtime import crash_recovery, file_operations, prefix_swap
from cuvee.runtime.prefix_state import MARKER, load
from cuvee.runtime.verify import verify
from needed_programs import HANGING, need_root, needed
from tiny_release import Release

REFUSED = "needs an overlay file system that can be mounted here"


class Layers:
    """Runs programs in a place whose present content is in a lower layer, which nothing changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = folder / "place"
        self._count = 0
        for name in ("place", "upper", "work"):
            (folder / name).mkdir()

    def run(self, *argv: str | Path) -> "subprocess.CompletedProcess[str]":
        layers = f"lowerdir={self.place},upperdir={self.folder / 'upper'},workdir={self.folder / 'work'}"
        mount = f'mount -t overlay -o "{layers},redirect_dir=off" overlay "{self.place}" && exec "$@"'
        return subprocess.run(
            [needed("unshare"), "--mount", "sh", "-c", mount, "sh", *argv],
            capture_output=True,
            text=True,
            timeout=HANGING,
            check=False,
        )


@pytest.fixture
def layers(tmp_path: Path) -> Layers:
    need_root("to mount an overlay")
    made = Layers(tmp_path)
    if made.run("true").returncode:
        pytest.skip(REFUSED)
    return made


@pytest.mark.real
def test_upgrade_and_rollback(release: Release, newer: Release, layers: Layers) -> None:
    prefix = layers.place / "prefix"
    assert release.install("-b", "-p", prefix).ok
    (prefix / "cuvee-saved").mkdir()
    (prefix / "cuvee-saved" / "mine").write_text("mine")
    (prefix / "empty").mkdir(mode=0o700)
    admin = f'"{prefix}/bin/tiny-admin"'
    mine = f'cat "{prefix}/cuvee-saved/mine"'
    check = f'{admin} info --json | grep \'"version": "2026.11.%s"\' && {admin} verify; {mine}'
    steps = (
        f'sh "{newer.installer}" -b -u -p "{prefix}"',
        check % 1,
        f"{admin} rollback",
        f'[ "$(stat -c %a "{prefix}/empty")" = 700 ]',
        check % 0,
        f"{admin} rollback",
        check % 1,
        f"{admin} clean",
        f'rm "{prefix}/cuvee-saved/mine"; {admin} uninstall',
        f'echo left: $(ls -A "{layers.place}")',
    )
    done = layers.run("sh", "-exc", "\n".join(steps))
    assert done.returncode == 0, done
    assert done.stdout.count("mine") == 3
    assert done.stdout.splitlines()[-1] == "left:"


@pytest.mark.real
def test_both_releases_are_in_the_image(release: Release, newer: Release, layers: Layers) -> None:
    prefix = layers.place / "prefix"
    assert release.install("-b", "-p", prefix).ok
    assert newer.install("-b", "-u", "-p", prefix).ok
    done = layers.run(prefix / "bin" / "tiny-admin", "rollback")
    assert (done.returncode, done.stderr) == (0, "")
    upper = layers.folder / "upper"
    for place, version in ((upper / "prefix", "2026.11.0"), (upper / ".prefix.cuvee-kept", "2026.11.1")):
        installed = load(str(place))
        assert (installed.manifest.version, verify(installed).good) == (version, True)


class _KilledError(BaseException):
    pass


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("moment", range(14))
def test_killed_at_any_step(
    moment: int, *, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renaming folders of the image fails; whatever is killed, one release is there, whole."""
    prefix, staged = tmp_path / "prefix", tmp_path / ".prefix.cuvee-0.partial"
    for folder, version in ((prefix, "old"), (staged, "new"), (tmp_path / ".prefix.cuvee-kept", "older")):
        if version != "older" or kept:
            (folder / MARKER).parent.mkdir(parents=True)
            (folder / MARKER).write_text(version)
            (folder / "file").write_text(version)
    lower = {
        (tmp_path / name).stat().st_ino
        for name in ("prefix", ".prefix.cuvee-kept")
        if (tmp_path / name).exists()
    }
    steps, rename, remove = 0, os.rename, file_operations.quietly

    def step() -> None:
        nonlocal steps
        if steps == moment:
            raise _KilledError
        steps += 1

    def layered(source: str, target: str) -> None:
        step()
        if os.stat(source).st_ino in lower:  # noqa: PTH116 - what is patched is used
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(source, target)

    def quietly(action: object, path: str) -> None:
        step()
        remove(action, path)  # type: ignore[arg-type]

    monkeypatch.setattr(prefix_swap, "exchange", lambda *_: False)
    monkeypatch.setattr(os, "rename", layered)
    monkeypatch.setattr(file_operations, "quietly", quietly)
    try:
        prefix_swap.swap_in(str(staged), str(prefix))
        prefix_swap.settle(str(staged), str(prefix), keep=True)
    except _KilledError:
        pass
    monkeypatch.setattr(file_operations, "quietly", remove)
    moment = -1
    crash_recovery.recover(str(prefix))
    found = (prefix / "file").read_text()
    assert found in {"old", "new"}
    assert (prefix / MARKER).read_text() == found
    left = {path.name for path in tmp_path.iterdir()} - {"prefix"}
    assert left <= {".prefix.cuvee-kept"}
    if left and (tmp_path / ".prefix.cuvee-kept" / MARKER).exists():
        expected = {"old": "older", "new": "old"}[found]
        assert (tmp_path / ".prefix.cuvee-kept" / "file").read_text() == expected
