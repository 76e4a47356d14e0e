"""The `.sh` installer as its users meet it: silently, with questions, on odd systems, and interrupted."""

import os
import pty
import random
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cuvee import process
from cuvee.installers.sh import build_sh
from cuvee.progress import SILENT
from measuring_work import wait_until
from needed_programs import need, need_root, needed
from tiny_release import Release

pytestmark = pytest.mark.real

SHELLS = [("dash",), ("bash",), ("busybox", "sh"), ("zsh", "--emulate", "sh")]


def left_overs(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def needs_root() -> None:
    need_root()


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_silently_under_every_shell(shell: tuple[str, ...], release: Release, tmp_path: Path) -> None:
    need(shell[0])
    prefix = tmp_path / "new" / "place"
    done = release.install("-b", "-p", prefix, shell=shell)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"Tiny & Sons 2026.11.0 is installed in {prefix}\n"
    assert left_overs(prefix.parent) == ["place"]
    assert not (prefix / ".cuvee").exists()
    refused = release.install("-b", "-p", prefix, shell=shell)
    assert refused.exit_code == 1
    assert "exists already" in refused.stderr
    unknown = release.install("-z", shell=shell)
    assert unknown.exit_code == 2
    assert "usage:" in unknown.stderr


def test_it_runs_itself_and_needs_no_home(release: Release, tmp_path: Path) -> None:
    done = process.run(
        process.Request(
            argv=(str(release.installer), "-b", "-p", "relative/prefix/"),
            cwd=tmp_path,
            environment={"PATH": os.environ["PATH"]},
        )
    )
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "relative" / "prefix" / "conda-meta" / "cuvee" / "release.json").exists()
    nowhere = release.install("-b")
    assert nowhere.exit_code == 2
    assert "HOME is not set" in nowhere.stderr
    home = release.install("-b", environment={"HOME": str(tmp_path)})
    assert home.exit_code == 0, home.stderr
    assert (tmp_path / "tiny" / "bin" / "python").exists()


def test_header_is_clean(release: Release, tmp_path: Path) -> None:
    shellcheck = needed("shellcheck")
    header = tmp_path / "header.sh"
    data = release.installer.read_bytes()
    header.write_bytes(data[: data.index(b"\nexit 1\n") + 8])
    done = process.run(process.Request(argv=(shellcheck, "-s", "sh", str(header))))
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-b", "-p", "/proc/nowhere/prefix"), "Error:"),
        (("-b", "extra"), "There is no argument 'extra'"),
        (("-b", "-p", "/"), "root folder"),
        (("-b", "-p", '/nowhere/quo"te'), "must not contain"),
        (("-b", "-p", "/nowhere/$HOME"), "must not contain"),
        (("-b", "-p", "/nowhere/.."), "root folder"),
        (("-p",), "usage:"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], message: str, release: Release) -> None:
    done = release.install(*arguments)
    assert done.exit_code in {1, 2}
    assert message in done.stderr


def test_other_systems_are_refused(release: Release, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    path = {"PATH": f"{folder}:{os.environ['PATH']}"}
    fake = folder / "uname"
    fake.write_text("#!/bin/sh\n[ $1 = -s ] && echo Linux || echo sparc64\n")
    fake.chmod(0o755)
    done = release.install("-b", "-p", tmp_path / "prefix", environment=path)
    assert done.exit_code == 3
    assert "this machine is sparc64" in done.stderr
    fake.unlink()
    for version in ("2.16", "1.99"):
        done = release.install("-b", "-p", tmp_path / "prefix", environment={"CONDA_OVERRIDE_GLIBC": version})
        assert done.exit_code == 3
        assert f"needs glibc 2.17 or newer, but this system has {version}" in done.stderr
    assert left_overs(tmp_path) == ["bin"]


def talk(release: Release, answers: list[tuple[str, str]], cwd: Path) -> tuple[int, str]:
    """Run the installer on a terminal; send each answer when its prompt has come."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(cwd)
        os.execve(  # noqa: S606
            "/bin/sh",
            ["sh", str(release.installer)],
            {"PATH": os.environ["PATH"], "HOME": str(cwd), "TERM": "dumb"},
        )
    seen = ""
    todo = list(answers)
    while True:
        ready, _, _ = select.select([terminal], [], [], 30)
        if not ready:
            os.kill(child, signal.SIGKILL)
            raise AssertionError(f"the installer waits for something: {seen}")
        try:
            data = os.read(terminal, 4096)
        except OSError:
            data = b""
        if not data:
            break
        seen += data.decode(errors="replace")
        if todo and todo[0][0] in seen:
            seen = seen.replace(todo[0][0], todo[0][0][:-1] + "\N{CHECK MARK}")
            os.write(terminal, todo.pop(0)[1].encode())
    os.close(terminal)
    assert not todo, seen
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen


def test_questions_on_a_terminal(release: Release, tmp_path: Path) -> None:
    code, seen = talk(
        release,
        [
            ("read the licence. ", "\n"),
            ("accept the licence? [yes|no] ", "maybe\n"),
            ("accept the licence? [yes|no] ", "yes\n"),
            ("\n> ", "~/somewhere new\n"),
            ("ENTER for no] ", "maybe\n"),
            ("ENTER for no] ", "\n"),
        ],
        tmp_path,
    )
    assert code == 0, seen
    assert 'It\'s "free" $HOME `id`.' in seen
    assert "Please answer 'yes' or 'no'" in seen
    assert "Installing:" in seen
    assert (tmp_path / "somewhere new" / "bin" / "python").exists()


def test_refused_licence(release: Release, tmp_path: Path) -> None:
    answers = [("read the licence. ", "\n"), ("accept the licence? [yes|no] ", "no\n")]
    code, seen = talk(release, answers, tmp_path)
    assert code == 2
    assert "not accepted" in seen
    assert left_overs(tmp_path) == []
    silent = release.install(environment={"HOME": str(tmp_path)})
    assert silent.exit_code == 2
    assert "-b -p PREFIX" in silent.stderr


def test_default_place_and_piped_answers(release: Release, tmp_path: Path) -> None:
    done = release.install(stdin="\nyes\n\n", environment={"HOME": str(tmp_path)})
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "tiny" / "bin" / "python").exists()


def test_without_a_licence_nobody_is_asked(release: Release, tmp_path: Path) -> None:
    installer = build_sh(release.image, license_text="", target=tmp_path / "free.sh", reporter=SILENT)
    done = release.install(stdin="\n", environment={"HOME": str(tmp_path)}, installer=installer)
    assert done.exit_code == 0, done.stderr
    assert "accept" not in done.stdout


def test_force(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    prefix.mkdir()
    assert release.install("-b", "-f", "-p", prefix).exit_code == 0
    before = prefix.stat().st_ino
    (prefix / "share" / "notes.txt").write_text("mine")
    done = release.install("-b", "-f", "-p", prefix)
    assert done.exit_code == 0, done.stderr
    assert prefix.stat().st_ino != before
    assert (prefix / "share" / "notes.txt").read_text() == "mine"
    assert left_overs(tmp_path) == [".prefix.cuvee-kept", "prefix"]
    shutil.rmtree(tmp_path / ".prefix.cuvee-kept")
    assert left_overs(tmp_path) == ["prefix"]
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.tex").write_text("mine")
    refused = release.install("-b", "-f", "-p", foreign)
    assert refused.exit_code == 1
    assert "is not replaced" in refused.stderr
    assert left_overs(tmp_path) == ["foreign", "prefix"]


def test_flipped_bits_and_truncation(release: Release, tmp_path: Path) -> None:
    data = bytearray(release.installer.read_bytes())
    header = data.index(b"\nexit 1\n")
    damaged = tmp_path / "damaged.sh"
    target = tmp_path / "in" / "prefix"
    chosen = random.Random(7)  # noqa: S311 - the same places each time
    places = [chosen.randrange(header) for _ in range(100)]
    places += [chosen.randrange(header, len(data)) for _ in range(10)]
    for place in places:
        bit = 1 << chosen.randrange(8)
        data[place] ^= bit
        damaged.write_bytes(data)
        data[place] ^= bit
        done = release.install("-b", "-p", target, installer=damaged)
        where = f"bit {bit} of byte {place}: {done.stdout}{done.stderr}"
        assert done.exit_code != 0, where
        assert left_overs(tmp_path) == ["damaged.sh"], where
        if place >= header:
            assert done.exit_code == 5, where
            assert f"{damaged} is damaged: its SHA-256 differs" in done.stderr
    for size in (10, header // 2, header + 100, len(data) // 2, len(data) - 1):
        damaged.write_bytes(data[:size])
        done = release.install("-b", "-p", target, installer=damaged)
        assert (done.exit_code == 5) or size < header
        assert done.exit_code != 0 or (size < header and not done.stdout)
        assert left_overs(tmp_path) == ["damaged.sh"], size


def start(release: Release, prefix: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", release.installer, "-b", "-p", prefix],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def staged(folder: Path) -> list[Path]:
    return list(folder.glob(".prefix.cuvee-*.partial"))


def stopped(release: Release, prefix: Path, marker: str, number: int, *, made: Path) -> tuple[int, bytes]:
    """Send a signal to an installer that has staged ``marker``; return its exit code, and its errors.

    On a busy machine it may be done before the signal comes. Then what it ``made`` is removed, and it
    begins again.
    """
    for _ in range(20):
        running = start(release, prefix)
        wait_until(
            lambda: prefix.exists() or any((path / marker).exists() for path in staged(prefix.parent)),
            running,
        )
        os.killpg(running.pid, number)
        _, errors = running.communicate()
        if not prefix.exists():
            return running.returncode, errors
        shutil.rmtree(made)
    raise AssertionError("each installation was done before the signal came")


@pytest.mark.parametrize("moment", ["", "bin", "conda-meta", "lib/noise"])
def test_killed_at_any_moment(moment: str, release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    stopped(release, prefix, moment, signal.SIGKILL, made=prefix)
    assert len(staged(tmp_path)) == 1
    assert release.install("-b", "-p", prefix).exit_code == 0
    assert left_overs(tmp_path) == ["prefix"]


def test_asked_to_stop(release: Release, tmp_path: Path) -> None:
    new = tmp_path / "new"
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        code, errors = stopped(release, new / "prefix", "conda-meta", number, made=new)
        assert code == 130
        assert b"Interrupted; nothing was installed" in errors
        assert left_overs(tmp_path) == []


def test_two_at_once(release: Release, tmp_path: Path) -> None:
    """The second neither disturbs the first nor believes its folder to be left over."""
    prefix = tmp_path / "prefix"
    both = [start(release, prefix), start(release, prefix)]
    for running in both:
        running.communicate()
    codes = sorted(running.returncode for running in both)
    assert codes == [0, 1]
    assert left_overs(tmp_path) == ["prefix"]
    assert process.run(process.Request(argv=(str(prefix / "bin" / "tool"),))).ok


def test_an_older_release_that_was_moved_aside_comes_back(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    inode = prefix.stat().st_ino
    prefix.rename(tmp_path / ".prefix.cuvee-999999999.old")
    refused = release.install("-b", "-p", prefix)
    assert refused.exit_code == 1
    assert "exists already" in refused.stderr
    assert prefix.stat().st_ino == inode


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    folder.mkdir()
    argv = ("mount", "-t", "tmpfs", *options, "tmpfs", str(folder))
    done = process.run(process.Request(argv=argv))
    if not done.ok:
        pytest.skip(f"needs to mount a tmpfs: {done.stderr}")
    try:
        yield folder
    finally:
        process.run(process.Request(argv=("umount", "-l", str(folder))))


def test_full_disk(release: Release, tmp_path: Path) -> None:
    needs_root()
    with mounted(tmp_path / "small", "-o", "size=20m") as folder:
        done = release.install("-b", "-p", folder / "prefix")
        assert done.exit_code == 1
        assert "MB are free" in done.stderr
        assert left_overs(folder) == []
        df = tmp_path / "bin" / "df"
        df.parent.mkdir()
        df.write_text("#!/bin/sh\n")
        df.chmod(0o755)
        path = {"PATH": f"{df.parent}:{os.environ['PATH']}"}
        done = release.install("-b", "-p", folder / "prefix", environment=path)
        assert done.exit_code == 1
        assert "full" in done.stderr
        assert left_overs(folder) == []
    with mounted(tmp_path / "larger", "-o", "size=60m") as folder:
        done = release.install("-b", "-p", folder / "prefix", environment=path)
        assert done.exit_code == 1
        assert "MB are free" in done.stderr
        assert left_overs(folder) == []


def test_programs_may_not_run_there(release: Release, tmp_path: Path) -> None:
    needs_root()
    with mounted(tmp_path / "noexec", "-o", "noexec") as folder:
        done = release.install("-b", "-p", folder / "prefix")
        assert done.exit_code == 3
        assert "noexec" in done.stderr
        assert left_overs(folder) == []


def test_unprivileged_without_network(release: Release, tmp_path: Path) -> None:
    needs_root()
    for parent in (release.installer.parent, *release.installer.parents, tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    shell = ("unshare", "-n", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh")
    done = release.install("-b", "-p", home / "prefix", shell=shell)
    if "unshare" in done.stderr:
        pytest.skip(f"needs network namespaces: {done.stderr}")
    assert done.exit_code == 0, done.stderr
    assert (home / "prefix").stat().st_uid == 65534
    refused = release.install("-b", "-p", tmp_path / "prefix", shell=shell)
    assert refused.exit_code == 1
    assert "No permission" in refused.stderr
    assert left_overs(tmp_path) == ["home"]


def test_same_bytes_again(release: Release, tmp_path: Path) -> None:
    """Another folder, an empty cache, another file order in it: the same installer."""
    image = release.build(tmp_path / "image", cache=tmp_path / "cache")
    again = build_sh(image, license_text=release.license_text, target=tmp_path / "Tiny.sh", reporter=SILENT)
    assert again.read_bytes() == release.installer.read_bytes()
