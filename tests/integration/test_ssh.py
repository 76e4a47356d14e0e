"""The runner of machines that are reached by ssh: what it asks for, and what becomes of it on a real one."""

import contextlib
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import tiny_index
from cuvee import process
from cuvee.cli.main import run
from cuvee.errors import SourceUnreachableError, ToolMissingError, UsageError
from cuvee.integration.host_faults import host_fault
from cuvee.integration.runners.far_connection import LostError
from cuvee.integration.runners.far_exchange import exchange
from cuvee.integration.runners.far_machine import FarMachine, described, look_at
from cuvee.integration.runners.far_scripts import CHANNEL, script
from cuvee.integration.runners.protocol import Command, Sandbox
from cuvee.integration.runners.selection import runner_at
from cuvee.integration.runners.ssh import SshAddress, SshRunner
from cuvee.process import Completed, Request
from needed_programs import HANGING, need_root, needed
from ssh_server import SshServer

PLATFORM = "linux-64"
MACHINE = FarMachine(platform=PLATFORM, uname="Linux x86_64", libc="2.36", home="/home/far")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ssh://Box", SshAddress(host="Box")),
        ("ssh://me@box.example:2222/", SshAddress(host="box.example", user="me", port=2222)),
        ("ssh://m%40e@[::1]:22", SshAddress(host="::1", user="m@e", port=22)),
    ],
)
def test_an_address(text: str, address: SshAddress) -> None:
    assert SshAddress.parse(text) == address


@pytest.mark.parametrize(
    "text",
    ["ssh://", "ssh://box/folder", "ssh://-oProxyCommand=x", "ssh://-l@box", "ssh://me:secret@box",
     "ssh://box:0x16", "ssh://box?x", "ssh://a b"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        SshAddress.parse(text)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("place", ["me@box", "docker://debian", "/nowhere/at all"])
def test_what_is_no_place(place: str) -> None:
    with pytest.raises(UsageError, match="There is no folder") as caught:
        runner_at(place)
    assert "ssh://HOST" in (caught.value.hint or "")


def test_no_ssh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError) as caught:
        runner_at("ssh://box")
    assert "openssh-client" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("system", "machine", "platform"),
    [
        ("Linux", "x86_64", "linux-64"),
        ("Linux", "aarch64", "linux-aarch64"),
        ("Darwin", "arm64", "osx-arm64"),
        ("Darwin", "x86_64", "osx-64"),
        ("Linux", "riscv64", None),
        ("FreeBSD", "amd64", None),
    ],
)
def test_the_platform_of_a_machine(system: str, machine: str, platform: str | None) -> None:
    found = described(f"\nsystem {system}\nmachine {machine}\nglibc glibc 2.31\ntemp rel/ative\ntitle A B\n")
    assert (found.platform, found.libc, found.title, found.temp) == (platform, "2.31", "A B", MACHINE.temp)
    assert described("").platform is None


def answering(monkeypatch: pytest.MonkeyPatch, machine: FarMachine = MACHINE) -> SshRunner:
    monkeypatch.setattr("cuvee.integration.runners.ssh.look_at", lambda *_, **__: machine)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/ssh")
    return SshRunner(SshAddress(host="Arm_Box", port=22))


def test_a_machine_of_another_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = answering(monkeypatch)
    assert runner.name == "ssh-arm-box"
    assert runner.refusal(PLATFORM) is None
    assert runner.refusal("win-64") == "ssh://Arm_Box:22 is linux-64"
    other = answering(monkeypatch, FarMachine(platform=None, uname="Linux riscv64"))
    assert other.refusal(PLATFORM) == "ssh://Arm_Box:22 is Linux riscv64"


def test_it_never_asks_and_does_not_weaken_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "with % and blanks", "x" * 90):
        reach = answering(monkeypatch).reach(Path("/run", name))
        for argv in (reach.connect, reach.connect_again):
            assert "BatchMode=yes" in argv
            assert not any("StrictHostKeyChecking" in word or "KnownHosts" in word for word in argv)
            assert argv[-3:] == ("--", "Arm_Box", CHANNEL)
        assert "ControlMaster=no" in reach.connect_again
        assert ("ControlMaster=auto" in reach.connect) == (len(name) < 90)
    paths = [
        word for word in answering(monkeypatch).reach(Path("/run/a %b")).connect if "ControlPath" in word
    ]
    assert paths == ['ControlPath="/run/a %%b/s"']


@pytest.mark.parametrize(
    ("done", "error", "said"),
    [
        ({"exit_code": 255, "stderr": "Permission denied (publickey)."}, SourceUnreachableError, "denied"),
        ({"exit_code": 255}, SourceUnreachableError, "no reason"),
        ({"exit_code": -9, "timed_out": True}, SourceUnreachableError, "in time"),
        ({"exit_code": 1, "stdout": "This account is not available."}, UsageError, "not available"),
        ({"exit_code": 1, "stderr": "'exec' is not recognized as an internal"}, UsageError, "Windows"),
    ],
)  # fmt: skip
def test_a_machine_that_does_not_answer(done: dict[str, object], error: type[Exception], said: str) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Completed:
        asked.append(request)
        known: dict[str, object] = {"stdout": "", "stderr": "", "seconds": 0.0}
        return Completed(request=request, **{**known, **done})  # type: ignore[arg-type]

    with pytest.raises(error, match=said):
        look_at(("ssh", "box"), "ssh://box", hint="", run=answer)
    tries = 3 if done == {"exit_code": 255} else 1
    assert len(asked) == tries, "what may be over is tried again"


class _Answers:
    """A connection on which a machine has said something."""

    def __init__(self, *frames: tuple[bytes, bytes]) -> None:
        self._said = b"".join(letter + struct.pack(">I", len(data)) + data for letter, data in frames)
        self.heard = b""

    def write(self, data: bytes) -> None:
        self.heard += data

    def read(self, count: int = 0) -> bytes:
        found, self._said = self._said[:count], self._said[count:]
        return found


@pytest.mark.parametrize(
    "frames",
    [
        [(b"f", b'{"name": "etc/passwd", "size": 1}'), (b"d", b"x")],
        [(b"f", b'{"name": "%s/../up", "size": 1}'), (b"d", b"x")],
        [(b"f", b'{"name": "%s/big", "size": 99999999999}')],
        [(b"f", b'{"name": "%s/big", "size": -1}')],
        [(b"f", b'{"name": "%s/cut", "size": 2}'), (b"d", b"x"), (b"x", b'{"code": 0}')],
        [(b"w", b"[3]")],
        [(b"x", b'{"code": "0"}')],
        [(b"x", b"\xff")],
        [(b"?", b"")],
        [(b"m", b"[]")],
    ],
)
def test_a_machine_that_answers_what_it_must_not(tmp_path: Path, frames: list[tuple[bytes, bytes]]) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    inside = [(letter, data.replace(b"%s", bytes(folder))) for letter, data in frames]
    with pytest.raises(LostError):
        exchange(_Answers(*inside), {}, (), (folder,))  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["job"]


def test_files_that_come_are_written(tmp_path: Path) -> None:
    name = f"{tmp_path}/job/a b é".lstrip("/").encode()
    frames = [(b"o", b"1"), (b"f", b'{"name": "%s", "size": 3}' % name), (b"d", b"xy"), (b"d", b"z")]
    connection = _Answers(*frames, (b"o", b"2"), (b"x", b'{"code": 3}'))
    answer = exchange(connection, {"run": "r"}, (), (tmp_path / "job",))  # type: ignore[arg-type]
    assert (tmp_path / "job" / "a b é").read_bytes() == b"xyz"
    assert answer.ended is not None
    assert (answer.ended.code, bytes(answer.stdout)) == (3, b"12")


@pytest.mark.real
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@example('it\'s\n\\ $HOME `id` "x" \n')
@example("!! %s \x01 é")
def test_a_script_gets_values_as_they_are(value: str) -> None:
    text = script('printf "%s|" "$value"', value=value)
    done = process.run(Request(argv=("/bin/sh", "-c", CHANNEL), stdin=text, timeout=HANGING))
    assert done.stdout == f"{value}|", done


class Place:
    """A run's folders on this host, and a machine that installs a release that is only an interpreter."""

    def __init__(self, folder: Path, runner: SshRunner) -> None:
        self.runner, self.top = runner, folder / "host é"
        self.sandbox = Sandbox(
            platform=PLATFORM, prefix=self.top / "release", home=self.top / "home", temp=self.top / "tmp"
        )
        for path in (self.sandbox.home, self.sandbox.temp, self.top / "installer", self.top / "work"):
            path.mkdir(parents=True, exist_ok=True)
        self.installer = self.top / "installer" / "In staller.sh"
        self.write_installer()

    def write_installer(self, more: str = "") -> None:
        lines = (
            "#!/bin/sh",
            more,
            'mkdir -p "$3/bin" && echo "installed in $HOME"',
            f'ln -s "{sys.executable}" "$3/bin/python"',
        )
        self.installer.write_text("\n".join(lines) + "\n")

    def install(self) -> Completed:
        return process.run(self.runner.install(self.sandbox, self.installer, timeout=HANGING))

    def run(self, code: str, *arguments: str | Path, **values: object) -> Completed:
        cwd = self.top / "work" / f"job {len(list((self.top / 'work').iterdir()))}" / "cwd"
        cwd.mkdir(parents=True)
        known: dict[str, object] = {"cwd": cwd, "timeout": HANGING}
        command = Command(program="python", arguments=("-c", code, *arguments), **{**known, **values})  # type: ignore[arg-type]
        request = self.runner.request(self.sandbox, command)
        environment = {**(request.environment or {}), **command.environment}  # as a session does
        return process.run(replace(request, environment=environment))

    def finish(self) -> Completed:
        request = self.runner.finish(self.sandbox)
        assert request is not None
        return process.run(request)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    server = SshServer(tmp_path_factory.mktemp("machine"))
    yield server
    server.stop()


@pytest.fixture
def place(server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An installed release."""
    monkeypatch.setenv("PATH", str(server.bin), prepend=":")
    runner = runner_at(server.address)
    assert isinstance(runner, SshRunner)
    place = Place(tmp_path, runner)
    done = place.install()
    assert done.exit_code == 0, done
    yield place
    assert place.finish().exit_code == 0
    assert "left behind" not in place.runner.environment()
    assert server.left == []
    assert server.connections() == []


def until(condition: Callable[[], object]) -> None:
    limit = time.monotonic() + HANGING
    while not condition():
        assert time.monotonic() < limit
        threading.Event().wait(0.02)


@pytest.mark.real
def test_files_travel_there_and_back(place: Place) -> None:
    (place.top / "work" / "shared").mkdir()
    (place.top / "work" / "shared" / "suite.txt").write_text("shared")
    (place.top / "work" / "shared" / "link").symlink_to("suite.txt")
    (place.top / "work" / "shared" / "absolute").symlink_to("/etc/passwd")
    (place.top / "work" / "other").mkdir()
    (place.top / "work" / "other" / "spec.json").write_text("{}")
    code = """
import os, pathlib, sys
print(pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2]).read_text(), os.environ["ASKED"])
print(os.environ["HOME"], os.getcwd())
print(os.path.lexists(pathlib.Path(sys.argv[1]).with_name("absolute")), os.environ["PATH"])
pathlib.Path("new é").write_bytes(bytes(range(256)))
pathlib.Path("escape").symlink_to("/etc/passwd")
with open("huge", "wb") as file: file.truncate(20_000_000)
sys.stderr.write("careful")
sys.exit(255)
"""
    done = place.run(
        code,
        place.top / "work" / "shared" / "link",
        place.top / "work" / "other" / "spec.json",
        environment={"ASKED": "yes", "PATH": "/nowhere"},
    )
    assert done.exit_code == 255
    assert done.stdout.splitlines()[0] == "shared {} yes"
    home, cwd = (place.runner.guest_path(place.top / name) for name in ("home", "work"))
    assert done.stdout.splitlines()[1].startswith(f"{home} {cwd}/job ")
    assert done.stdout.splitlines()[2] == "False /nowhere"
    assert "careful" in done.stderr
    assert "huge is too large to be brought here" in done.stderr
    (new,) = place.top.rglob("new é")
    assert new.read_bytes() == bytes(range(256))
    assert not list(place.top.rglob("escape"))
    assert not list(place.top.rglob("huge"))
    assert host_fault(done.stderr) == "", "255 is the program's own"


@pytest.mark.real
def test_what_the_machine_cannot_do_for_a_program_is_no_failure_of_the_release(place: Place) -> None:
    file = place.top / "work" / "job of data" / "data"
    file.parent.mkdir()
    file.write_text("x")
    Path(place.runner.guest_path(file)).mkdir(parents=True)  # the machine is this one
    done = place.run("print('it runs')", file)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{place.runner.guest_path(file)}: Is a directory: " in done.stderr
    assert host_fault(done.stderr) == "cuvee could not prepare or watch the program on the machine"


@pytest.mark.real
def test_an_endless_program_is_stopped_with_its_children(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = f"sleeping-{place.runner.guest_path(Path('/'))}"
    sleeping = f"[sys.executable, '-c', 'import time; time.sleep(999)', {token!r}]"
    done = place.run(f"import subprocess, sys; subprocess.run({sleeping})", timeout=1.0)
    assert done.timed_out
    # Whatever outlives its parent ends too, also where there are no namespaces.
    facts = replace(place.runner._facts(), isolation="")
    monkeypatch.setattr(type(place.runner), "_facts", lambda _: facts)
    daemon = f"subprocess.Popen({sleeping}, start_new_session=True)"
    done = place.run(f"import subprocess, sys; {daemon}; print('ended')")
    assert (done.exit_code, done.stdout) == (0, "ended\n")
    assert "lead nowhere" in place.runner.environment()["network"]
    assert not running(token)


def running(token: str) -> list[str]:
    """Return the processes with a word on their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if token.encode() in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
    return found


WAITS_ONCE = """
import os, pathlib, signal, sys
first = pathlib.Path(os.environ["TMPDIR"], "first")
pathlib.Path("half").write_text("an earlier attempt")
if first.exists():
    print("again", os.path.exists("early"))
else:
    pathlib.Path("early").touch()
    first.write_text(sys.argv[1])
    signal.pause()
"""


@pytest.mark.real
def test_a_lost_connection_is_tried_again(place: Place, server: SshServer) -> None:
    token = f"waiting-{place.runner.guest_path(Path('/'))}"
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(place.run, WAITS_ONCE, token)
        until(lambda: list(server.temp.rglob("first")))
        assert running(token)
        assert server.cut() > 0
        done = future.result()
    assert (done.exit_code, done.stdout) == (0, "again False\n"), done
    assert not running(token)


@pytest.mark.real
def test_a_machine_that_goes_away_is_no_failure_of_the_release(place: Place, server: SshServer) -> None:
    token = f"alone-{place.runner.guest_path(Path('/'))}"
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(place.run, WAITS_ONCE, token)
        until(lambda: list(server.temp.rglob("first")))
        server.stop()
        done = future.result()
    try:
        assert host_fault(done.stderr) == "the connection to the machine was lost"
        assert server.address in done.stderr
        until(lambda: not running(token))  # though nobody tells it
        assert place.finish().exit_code == 255
        assert server.left
        assert "the next run on that machine removes it" in place.runner.environment()["left behind"]
    finally:
        server.start()
        place.runner._address = replace(place.runner._address, port=server.port)


@pytest.mark.real
def test_an_interruption_ends_what_runs_there(place: Place, server: SshServer) -> None:
    token = f"interrupted-{place.runner.guest_path(Path('/'))}"
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(place.run, WAITS_ONCE, token)
        until(lambda: list(server.temp.rglob("first")))
        process.stop_all()
        assert future.result().exit_code != 0
    until(lambda: not running(token))


@pytest.mark.real
def test_what_killed_runs_have_left_is_removed(server: SshServer, place: Place, tmp_path: Path) -> None:
    own = place.runner._own
    dead, foreign, link = f"{own}{2**22 + 1}-1-ab12", "cuvee-other-1-1-ab12", f"{own}{2**22 + 1}-1-ab13"
    for name in (dead, foreign):
        (server.temp / name / "deep").mkdir(parents=True)
        (server.temp / name / "deep").chmod(0o500)
    (server.temp / link).symlink_to(tmp_path)
    (alive,) = (name for name in server.left if name.startswith(own) and name not in {dead, link})
    again = Place(tmp_path / "again", runner_at(server.address))  # type: ignore[arg-type]
    assert again.install().exit_code == 0
    assert dead not in server.left
    assert {foreign, link, alive} <= set(server.left)
    assert tmp_path.exists()
    assert again.finish().exit_code == 0
    (server.temp / link).unlink()
    (server.temp / foreign / "deep").rmdir()
    (server.temp / foreign).rmdir()


@pytest.mark.real
@pytest.mark.parametrize("shell", ["fish", "tcsh", "noisy"])
def test_any_login_shell(shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shell == "noisy":
        program = tmp_path / "shell"
        program.write_text(
            '#!/bin/sh\necho "Welcome! cuvee-0 \\n system FreeBSD"\necho oops >&2\nexec /bin/sh "$@"\n'
        )
        program.chmod(0o755)
    else:
        program = Path(needed(shell))
    server = SshServer(tmp_path / "machine", shell=str(program), temp=tmp_path / "far")
    try:
        monkeypatch.setenv("PATH", str(server.bin), prepend=":")
        server.home.rmdir()
        place = Place(tmp_path, runner_at(server.address))  # type: ignore[arg-type]
        done = place.install()
        assert (done.exit_code, done.stdout.startswith("installed in ")) == (0, True), done
        done = place.run("print('it runs')")
        assert (done.exit_code, done.stdout) == (0, "it runs\n"), done
        assert place.finish().exit_code == 0
        assert server.left == []
    finally:
        server.stop()


@pytest.mark.real
def test_a_full_disk_there_is_no_failure_of_the_release(
    server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_root("to mount a small disk")
    small = tmp_path / "small"
    small.mkdir()
    mount = Request(argv=(needed("mount"), "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)))
    if not process.run(mount).ok:
        pytest.skip("needs a host on which root may mount")
    monkeypatch.setenv("PATH", str(server.bin), prepend=":")
    try:
        runner = SshRunner(SshAddress.parse(server.address))
        runner._top = f"{small}/cuvee-full"
        place = Place(tmp_path, runner)
        place.write_installer("#" * 2_000_000)
        done = place.install()
        assert done.exit_code == 1, done
        assert host_fault(done.stderr) == "the host has no space left"
        assert place.finish().exit_code == 0
        assert list(small.iterdir()) == []
    finally:
        process.run(Request(argv=(needed("umount"), str(small))))


@pytest.mark.real
def test_what_the_command_says_of_a_machine(
    server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    channel = tiny_index.write_index(tmp_path / "channel", [tiny_index.entry("app 1")])
    path = tiny_index.write_manifest(tmp_path / "manifests", channel, 'app: "*"')
    options = ["--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache"), "-q"]
    monkeypatch.setenv("PATH", str(server.bin), prepend=":")
    other = FarMachine(platform="osx-arm64", uname="Darwin arm64")
    with monkeypatch.context() as patch:
        patch.setattr("cuvee.integration.runners.ssh.look_at", lambda *_, **__: other)
        assert run(["test", str(path), *options, "--on", server.address]) == 2
    assert "none of that runs there: " in capsys.readouterr().err
    known = server.bin.parent / "known_hosts"
    before = known.read_bytes()
    known.write_bytes(b"")
    try:
        assert run(["test", str(path), *options, "--on", server.address]) == 4
    finally:
        known.write_bytes(before)
    said = capsys.readouterr().err
    assert "Host key verification failed" in said
    assert "must work without a question" in said
    assert not (tmp_path / "dist" / "tiny-2026.11.0" / "lock").exists()
