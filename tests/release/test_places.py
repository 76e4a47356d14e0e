"""A release in other places: the files of another Linux system, a machine that ssh reaches, a container."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from platform import libc_ver

import pytest

import tiny_index
from container_store import ContainerStore
from cuvee import process
from cuvee.cli.main import run
from cuvee.errors import SourceUnreachableError, ToolMissingError, UsageError
from cuvee.integration.runners import root as root_runner
from cuvee.integration.runners.isolation import strongest_isolation
from cuvee.integration.runners.protocol import Command, Sandbox
from cuvee.integration.runners.root import RootRunner, os_release
from cuvee.integration.runners.selection import runner_at
from cuvee.release.record import Release
from debian_root import debian_root
from needed_programs import HANGING
from ssh_server import SshServer
from tiny_distribution import Distribution


def system(folder: Path, release: str = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n') -> Path:
    for name in ("usr/bin/sh", "usr/bin/tar", "usr/bin/sha256sum"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "bin").symlink_to("/usr/bin")
    (folder / "etc").mkdir()
    (folder / "etc" / "os-release").write_text(release)
    return folder


def place(root: Path) -> Sandbox:
    top = root / "top"
    return Sandbox(platform="linux-64", prefix=top / "release", home=top / "home", temp=top / "tmp")


def test_paths_are_those_of_the_other_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_runner, "strongest_isolation", lambda: "net,pid,files")
    runner = RootRunner(system(tmp_path / "root"))
    assert runner.name == "root-debian-12"
    sandbox = place(tmp_path)
    request = runner.install(sandbox, tmp_path / "top" / "Tiny.sh", timeout=9)
    top = f"/.host{tmp_path}/top"
    assert request.argv[-5:] == ("/bin/sh", f"{top}/Tiny.sh", "-b", "-p", f"{top}/release")
    environment = request.environment or {}
    assert (environment["HOME"], environment["LANG"]) == (f"{top}/home", "C.UTF-8")
    assert environment["XDG_DATA_HOME"] == f"{top}/home/.local/share"
    assert environment["PATH"] == f"{top}/release/bin:/usr/local/bin:/usr/bin:/bin"
    command = Command(program="tool", arguments=("-x", tmp_path / "a b"), cwd=tmp_path, timeout=5)
    assert runner.request(sandbox, command).argv[-3:] == (
        f"{top}/release/bin/tool",
        "-x",
        f"/.host{tmp_path}/a b",
    )
    assert runner.environment()["system"] == "Debian 12"


def test_what_is_no_system_is_refused(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    with pytest.raises(UsageError, match="it has no bin/sh, usr/bin/tar, usr/bin/sha256sum") as caught:
        RootRunner(tmp_path)
    assert "debootstrap" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="not a folder"):
        RootRunner(tmp_path / "nowhere")


def test_it_is_refused_before_anything_is_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    channel = tiny_index.write_index(tmp_path / "channel", [tiny_index.entry("app 1")])
    path = tiny_index.write_manifest(tmp_path / "manifests", channel, 'app: "*"')
    options = ["--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache"), "-q"]
    assert run(["test", str(path), *options, "--on", str(tmp_path)]) == 2
    assert "is not the root of a Linux system" in capsys.readouterr().err
    assert not (tmp_path / "dist" / "tiny-2026.11.0" / "lock").exists()


def test_a_link_out_of_the_system_is_not_read(tmp_path: Path) -> None:
    folder = system(tmp_path / "root")
    (folder / "etc" / "os-release").unlink()
    (tmp_path / "mine").write_text("ID=mine")
    (folder / "etc" / "os-release").symlink_to(tmp_path / "mine")
    assert os_release(folder) == {}
    assert RootRunner(folder).name == "root-root"


def test_a_host_without_namespaces_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cuvee.integration.runners.native.strongest_isolation", lambda: "net,user")
    assert "no namespaces of files" in (RootRunner(system(tmp_path / "root")).refusal("linux-64") or "")


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if "files" not in (strongest_isolation() or "").split(","):
        pytest.skip("needs a host that allows namespaces of files")
    root = tmp_path_factory.mktemp("debian") / "root"
    shutil.copytree(debian_root(), root, symlinks=True)
    return root


@pytest.mark.real
def test_a_program_sees_the_other_system_and_cannot_change_it(debian: Path, tmp_path: Path) -> None:
    sandbox = place(tmp_path)
    for folder in (sandbox.home, sandbox.temp, sandbox.prefix / "bin"):
        folder.mkdir(parents=True)
    (sandbox.prefix / "bin" / "sh").symlink_to("/bin/sh")
    marker = debian / "etc" / "only-there"
    marker.write_text("1")
    script = """
        test -e /etc/only-there && echo there
        test -e /usr/bin/apt-get && echo not there
        echo x >/etc/mine && echo wrote
        echo x >/tmp/mine && rm /tmp/mine && echo temporary
        echo x >"$HOME/mine" && echo home
        test -c /dev/null && test -d /proc/1 && echo devices
        chroot /.host true && echo out
        pwd
    """
    command = Command(program="sh", arguments=("-c", script), cwd=sandbox.home, timeout=HANGING)
    done = process.run(RootRunner(debian).request(sandbox, command))
    assert done.stdout.split() == ["there", "temporary", "home", "devices", f"/.host{sandbox.home}"], done
    assert (sandbox.home / "mine").read_text() == "x\n"
    assert not (debian / "etc" / "mine").exists()
    assert not (debian / "tmp" / "mine").exists()


@pytest.mark.real
def test_a_release_is_tested_there_and_the_results_are_imported(
    copied: Callable[[], Distribution],
    tiny_text: str,
    host_platform: str,
    debian: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    distribution = copied()
    path = distribution.write(tiny_text)
    before = distribution.cut(path)
    options = ["--dist", str(distribution.dist), "--cache", str(distribution.root / "cache"), "-q"]
    code = run(["test", str(path), *options, "--on", str(debian), "--json"])
    said = json.loads(capsys.readouterr().out)
    outcomes = {item["test"]: item for item in said["outcomes"][host_platform]}
    assert {item["state"] for item in outcomes.values()} == {"pass"}, outcomes
    assert {"install", "verify", "import:attrs", "command:tqdm"} <= outcomes.keys()
    assert all("/root-debian-" in name for name in said["selected"])
    assert code == 1, "nothing is recorded, so that the release is not ready"
    results = Path(said["results"], host_platform, "outcomes.json")
    assert run(["import-results", str(before.folder), str(results)]) == 0
    after = distribution.cut(path)
    assert after.verdict is before.verdict
    (tested,) = (item for item in after.runs if item.platform == host_platform)
    assert "root-debian-" in tested.environment["imported"]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    server = SshServer(tmp_path / "machine")
    monkeypatch.setenv("PATH", str(server.bin), prepend=":")
    yield server
    server.stop()


@pytest.mark.real
def test_a_release_is_tested_on_a_machine_which_keeps_nothing(
    tiny: tuple[Distribution, Release],
    host_platform: str,
    server: SshServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    distribution, release = tiny
    options = ["--cache", str(distribution.root / "cache"), "-q", "--results", str(tmp_path / "results")]
    code = run(["test", str(release.folder), *options, "--on", server.address, "--json"])
    said = json.loads(capsys.readouterr().out)
    states = {item["test"]: item["state"] for item in said["outcomes"][host_platform]}
    (here,) = (one for one in release.runs if one.platform == host_platform)
    assert states == {item.test: item.state.value for item in here.outcomes}
    assert all(name.endswith(f"@{host_platform}/ssh-machine-of-test") for name in said["selected"])
    assert code == 1, "nothing is recorded, so that the release is not ready"
    assert server.left == []
    assert server.connections() == []
    results = json.loads((tmp_path / "results" / host_platform / "outcomes.json").read_bytes())
    assert results["environment"]["glibc"] == libc_ver()[1]
    assert results["environment"]["installer_sha256"] in {item.sha256 for item in release.handed_out}


@pytest.fixture
def store(tmp_path: Path, debian: Path, monkeypatch: pytest.MonkeyPatch) -> ContainerStore:
    store = ContainerStore(tmp_path / "containers")
    store.import_root(debian, "localhost/small-debian:12")
    monkeypatch.setenv("PATH", str(store.bin), prepend=":")
    return store


@pytest.mark.real
def test_a_release_is_tested_in_a_container_of_which_nothing_stays(
    tiny: tuple[Distribution, Release],
    host_platform: str,
    store: ContainerStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    distribution, release = tiny
    options = ["--cache", str(distribution.root / "cache"), "-q", "--results", str(tmp_path / "results")]
    place = "container:localhost/small-debian:12"
    select = ["--select", "smoke/verify", "--select", "smoke/import:attrs", "--select", "smoke/command:tqdm"]
    code = run(["test", str(release.folder), *options, *select, "--on", place, "--json"])
    said = json.loads(capsys.readouterr().out)
    states = {item["test"]: item["state"] for item in said["outcomes"][host_platform]}
    ran = {test for test, state in states.items() if state == "pass"}
    assert ran == {"install", "verify", "check", "interpreter", "import:attrs", "command:tqdm"}
    assert set(states.values()) == {"pass", "not-run"}
    assert all(name.endswith("/container-small-debian-12") for name in said["selected"])
    assert (code, store.containers) == (1, [])
    results = json.loads((tmp_path / "results" / host_platform / "outcomes.json").read_bytes())
    assert results["environment"]["image"].startswith("localhost/small-debian:12 (")
    with pytest.raises(SourceUnreachableError, match="cannot get the image localhost/other"):
        runner_at("container:localhost/other")


@pytest.mark.parametrize("image", ["", "-v/:/host", "a b", "--privileged"])
def test_what_is_no_image(image: str) -> None:
    with pytest.raises(UsageError, match="not a name of an image"):
        runner_at(f"container:{image}")


def test_no_program_for_containers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="Neither podman nor docker") as caught:
        runner_at("container:debian:12")
    assert "podman" in (caught.value.hint or "")
