"""Killed at any moment, damaged in any bit, started twice: the prefix is the old release or the new one."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.files import sha256_file
from cuvee.runtime import crash_recovery, prefix_removal, prefix_swap, staged_folder, uninstall
from cuvee.runtime.failure import DAMAGED, InstallError
from cuvee.runtime.installer_run import InstallerRun
from cuvee.runtime.payload_manifest import PayloadManifest
from cuvee.runtime.prefix_lock import hold
from cuvee.runtime.prefix_state import KEPT, MARKER, UNPROVED, load
from cuvee.runtime.verify import verify
from tiny_release import Release

KILLS = int(os.environ.get("CUVEE_KILLS", "60"))
"""Half of them during an install, half during an upgrade."""
FLIPS = 1000


class Moments:
    """Moments to kill at, spread over how long the work takes, which depends on the load."""

    def __init__(self, count: int, longest: float) -> None:
        self._chosen = random.Random(count)  # noqa: S311 - the same fractions each time
        self._count = count
        self._longest = longest

    def __iter__(self) -> Iterator[float]:
        for _ in range(self._count):
            self._fraction = self._chosen.random()
            yield self._fraction * self._longest

    def learn(self, *, ended: bool) -> None:
        """Come later if even the last moments came too early, and earlier if early ones were too late."""
        if not ended and self._fraction > 0.8:
            self._longest *= 1.4
        if ended and self._fraction < 0.7:
            self._longest *= 0.8


def run_and_kill(argv: list[str | Path], after: float) -> bool:
    """Kill it and all that it started, unless it ends before; say whether it did."""
    running = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        _, errors = running.communicate(timeout=after)
        assert running.returncode == 0, errors
    except subprocess.TimeoutExpired:
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        return False
    return True


def whole_version(prefix: Path) -> str:
    """Return the version of the release at ``prefix``, all of whose files are as they should be."""
    installed = load(str(prefix))
    found = verify(installed)
    assert found.good, found
    return installed.manifest.version


def seconds(argv: list[str | Path]) -> float:
    start = time.monotonic()
    subprocess.run(argv, check=True, capture_output=True)
    return time.monotonic() - start


@pytest.mark.real
def test_an_install_is_killed(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    argv: list[str | Path] = ["sh", release.installer, "-b", "-p", prefix]
    longest = seconds(argv)
    moments = Moments(KILLS // 2, longest)
    for count, after in enumerate(moments):
        place = tmp_path / str(count % 3) / "prefix"
        if place.exists():
            place.rename(tmp_path / f"done-{count}")
        moments.learn(ended=run_and_kill([*argv[:-1], place], after))
        if place.exists():
            assert whole_version(place) == "2026.11.0"
    for number in range(3):
        place = tmp_path / str(number) / "prefix"
        subprocess.run([*argv[:-1], place, "-u"], check=True, capture_output=True)
        assert whole_version(place) == "2026.11.0"
        assert [path.name for path in place.parent.iterdir()] == ["prefix"]


@pytest.mark.real
def test_an_upgrade_is_killed(release: Release, newer: Release, tmp_path: Path) -> None:
    """There and back again; each time it is one release or the other, and what the user made is there."""
    prefix = tmp_path / "prefix"
    installers = {"2026.11.0": newer.installer, "2026.11.1": release.installer}
    subprocess.run(["/bin/sh", release.installer, "-b", "-p", prefix], check=True, capture_output=True)
    (prefix / "cuvee-saved").mkdir()
    (prefix / "cuvee-saved" / "mine").write_text("mine")
    longest = seconds(["sh", newer.installer, "-b", "-u", "-p", prefix])
    seen = set()
    moments = Moments(KILLS - KILLS // 2, longest)
    for after in moments:
        if not prefix.exists():  # a system that can't exchange folders was killed between two renames
            crash_recovery.recover(str(prefix))
        before = whole_version(prefix)
        argv: list[str | Path] = ["sh", installers[before], "-b", "-f", "-p", prefix]
        moments.learn(ended=run_and_kill(argv, after))
        if prefix.exists():
            seen.add((before, whole_version(prefix)))
            assert (prefix / "cuvee-saved" / "mine").read_text() == "mine"
    assert len(seen) > 1, seen
    version = whole_version(prefix)
    subprocess.run(
        ["/bin/sh", installers[version], "-b", "-f", "-p", prefix], check=True, capture_output=True
    )
    assert whole_version(prefix) == next(other for other in installers if other != version)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".prefix.cuvee-kept", "prefix"]
    assert whole_version(tmp_path / ".prefix.cuvee-kept") == version


@pytest.mark.real
@pytest.mark.parametrize("left", [900, 50, 2])
def test_a_removal_is_killed(
    left: int, release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once killed, the installer ends it, even where the prefix has lost its Python or its lists."""
    prefix = tmp_path / "prefix"
    subprocess.run(["/bin/sh", release.installer, "-b", "-p", prefix], check=True, capture_output=True)
    installed = load(str(prefix))
    todo = verify(installed).files + 6 - left
    rename = prefix_removal._rename

    def count(source: str, target: str) -> None:
        nonlocal todo
        todo -= 1
        if todo < 0:
            raise _Killed
        rename(source, target)

    monkeypatch.setattr(prefix_removal, "_rename", count)
    monkeypatch.setattr(prefix_removal, "put_back", lambda _: None)  # which would only be done by another
    monkeypatch.chdir(tmp_path)
    with pytest.raises(_Killed):
        uninstall.uninstall(str(prefix), lambda: installed, frozenset())
    done = release.install("--uninstall", "-p", prefix)
    assert done.exit_code == 0, done.stderr
    assert "was removed" in done.stdout
    assert list(tmp_path.iterdir()) == []
    nothing = release.install("--uninstall", "-p", prefix)
    assert nothing.exit_code == 1
    assert "holds no release" in nothing.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_two_upgrades_at_once(release: Release, newer: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    with hold(str(prefix)):
        refused = newer.install("-b", "-u", "-p", prefix)
        removal = subprocess.run(
            [prefix / "bin" / "tiny-admin", "uninstall"], capture_output=True, text=True, check=False
        )
    for code, errors in ((refused.exit_code, refused.stderr), (removal.returncode, removal.stderr)):
        assert code == 1
        assert "Another installer is at work" in errors
    assert whole_version(prefix) == "2026.11.0"
    assert [path.name for path in tmp_path.iterdir()] == ["prefix"]


@pytest.mark.real
def test_flipped_bits_in_manifest_and_payload(release: Release, tmp_path: Path) -> None:
    """Each frame that is read, and the manifest, tell any flipped bit before a byte of them is used."""
    installer = tmp_path / "Tiny.sh"
    installer.write_bytes(release.installer.read_bytes())
    size = installer.stat().st_size
    image = release.image
    payload = size - image.payload.stat().st_size
    start = payload - image.manifest.stat().st_size
    job = InstallerRun(
        "install", str(installer), "", "", "", "-", start, payload - start,
        image.manifest_raw, image.manifest_sha256, frozenset(),
    )  # fmt: skip
    manifest = job.read_manifest(job.manifest_bytes())
    frames = [*manifest.frames(), *manifest.records]
    assert sum(frame.size for frame in frames) == size - payload
    before = sha256_file(installer)
    chosen = random.Random(11)  # noqa: S311 - the same places each time
    places = [chosen.randrange(start, payload) for _ in range(FLIPS // 5)]
    places += [chosen.randrange(payload, size) for _ in range(FLIPS - FLIPS // 5)]
    with installer.open("r+b", buffering=0) as stream:
        for place in places:
            stream.seek(place)
            (byte,) = stream.read(1)
            for value in (byte ^ 1 << chosen.randrange(8), byte):
                stream.seek(place)
                stream.write(bytes([value]))
                if value != byte:
                    with pytest.raises(InstallError) as caught:
                        _use(job, manifest, place - payload)
                    assert caught.value.code == DAMAGED
    assert sha256_file(installer) == before


def _use(job: InstallerRun, manifest: PayloadManifest, at: int) -> None:
    """Read the part of the installer that the flipped bit is in."""
    if at < 0:
        job.read_manifest(job.manifest_bytes())
        return
    frames = [*manifest.frames(), *manifest.records]
    for _ in job.read(frame for frame in frames if frame.offset <= at < frame.offset + frame.size):
        pass


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("moment", range(5))
def test_swapping_without_exchange(
    moment: int, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where folders can't be exchanged: killed before any rename, the next start finds old or new."""
    prefix = tmp_path / "prefix"
    dead = 2**22 + 1  # no process has it
    staged = tmp_path / f".prefix.cuvee-{dead}.partial"
    for folder, version in ((prefix, "old"), (staged, "new"), (tmp_path / ".prefix.cuvee-kept", "older")):
        if version != "older" or kept:
            folder.mkdir()
            (folder / "version").write_text(version)
    renames = 0
    rename = os.rename

    def count(source: str, target: str) -> None:
        nonlocal renames
        if renames == moment:
            raise _Killed
        renames += 1
        rename(source, target)

    monkeypatch.setattr(prefix_swap, "exchange", lambda *_: False)
    monkeypatch.setattr(prefix_swap, "rename_folder", count)
    try:
        prefix_swap.swap_in(str(staged), str(prefix))
        prefix_swap.settle(str(staged), str(prefix), keep=True)
        assert moment >= 3
    except _Killed:
        assert moment < 4
    renames = -1000
    crash_recovery.recover(str(prefix))
    found = (prefix / "version").read_text()
    assert found == ("old" if moment < 2 else "new")
    left = {path.name: (path / "version").read_text() for path in tmp_path.iterdir() if path != prefix}
    assert set(left) <= {".prefix.cuvee-kept"}
    if moment >= 2:
        assert left == {".prefix.cuvee-kept": "old"}


@pytest.mark.parametrize("exchanges", [False, True])
@pytest.mark.parametrize("upgrade", [False, True])
@pytest.mark.parametrize("moment", range(10))
def test_withdrawing(
    moment: int, *, upgrade: bool, exchanges: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release on trial is put in place and taken back; killed before any rename, it ends the same way."""
    prefix, dead = tmp_path / "prefix", 2**22 + 1  # no process has it
    staged = tmp_path / f".prefix.cuvee-{dead}.partial"
    for folder, version in ((prefix, "old"), (staged, "new")):
        if version == "new" or upgrade:
            (folder / KEPT).mkdir(parents=True)
            (folder / MARKER).write_text(version)
    (staged / UNPROVED).write_text(str(dead))
    renames = 0

    def step() -> None:
        nonlocal renames
        if renames == moment:
            raise _Killed
        renames += 1

    def rename(source: str, target: str) -> None:
        step()
        Path(source).rename(target)

    def exchange(first: str, second: str) -> bool:
        if exchanges:
            step()
            aside = Path(first).rename(f"{first}.x")
            Path(second).rename(first)
            aside.rename(second)
        return exchanges

    monkeypatch.setattr(prefix_swap, "rename_folder", rename)
    monkeypatch.setattr(prefix_swap, "exchange", exchange)
    try:
        (prefix_swap.swap_in if upgrade else prefix_swap.move_in)(str(staged), str(prefix))
        crash_recovery.withdraw(str(prefix))
    except _Killed:
        pass
    moment = -1
    crash_recovery.recover(str(prefix))
    left = {path.name: (path / MARKER).read_text() for path in tmp_path.iterdir()}
    assert left == ({"prefix": "old"} if upgrade else {})


def test_what_lives_is_left_alone(tmp_path: Path) -> None:
    staged_folder.claim(str(tmp_path / "prefix"))
    (tmp_path / ".prefix.cuvee-kept").mkdir()
    (tmp_path / ".prefix.cuvee-12x.old").mkdir()
    crash_recovery.recover(str(tmp_path / "prefix"))
    assert len(list(tmp_path.iterdir())) == 3


def test_log_entries_are_lines_of_json(tmp_path: Path) -> None:
    from cuvee.runtime import installer_log as log
    from cuvee.runtime.prefix_state import KEPT, LOGS

    (tmp_path / KEPT).mkdir(parents=True)
    log.note(str(tmp_path), "upgrade", 0, "done\u2028", {"saved": ["a"]})
    log.note(str(tmp_path), "verify", 1, "no")
    lines = (tmp_path / LOGS[1]).read_text(encoding="utf-8").split("\n")
    assert [json.loads(line)["exit"] for line in lines[:2]] == [0, 1]
    assert "    saved: a\n" in (tmp_path / LOGS[0]).read_text(encoding="utf-8")
    log.note(str(tmp_path / "nowhere"), "verify", 0, "")
