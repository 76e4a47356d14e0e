"""The package's script, run for real: what Installer does is done by hand, and a Linux image plays macOS."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cuvee import process
from cuvee.files import sha256_file
from cuvee.image.model import Image
from cuvee.image.settings import ByteCode, InstallerSettings
from cuvee.installers.pkg.build import build_pkg
from cuvee.progress import SILENT
from cuvee.runtime.prefix_state import load
from measuring_work import wait_until
from needed_programs import HANGING, need_root, need_shell_that_searches_path, needed
from tiny_release import LICENSE, Release

pytestmark = pytest.mark.real

UNAME = """#!/bin/sh
[ "$1" = -s ] && echo Darwin || echo arm64
"""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package, unpacked."""

    path: Path
    payload: Path
    scripts: Path
    programs: Path

    def unpack(self, location: Path) -> Path:
        """Put the payload where Installer puts it; give the folder that only the script may see."""
        shutil.copytree(self.payload, location, dirs_exist_ok=True)
        return location / ".tiny-installer"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {"PATH": f"{self.programs}:{os.environ['PATH']}", "USER": "root"} | dict(more or {})

    def run(
        self, *arguments: str | Path, shell: tuple[str, ...] = (), more: Mapping[str, str] | None = None
    ) -> process.Completed:
        """Run the script with the arguments that Installer gives."""
        argv = (*shell, str(self.scripts / "postinstall"), *map(str, arguments))
        return process.run(process.Request(argv=argv, environment=self.environment(more), timeout=HANGING))

    def install(self, location: Path, **options: object) -> process.Completed:
        self.unpack(location)
        return self.run(self.path, location, "/", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def package(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return unpacked(release.image, tmp_path_factory.mktemp("pkg"))


def unpacked(image: Image, root: Path) -> Package:
    bsdtar = needed("bsdtar")
    path = build_pkg(
        replace(image, platform="osx-arm64", floor={"__osx": "11.0"}),
        identifier="org.example.tiny",
        license_text=LICENSE,
        welcome_text="Welcome.",
        target=root / "Tiny.pkg",
        reporter=SILENT,
    )
    component = root / "xar" / "tiny.pkg"
    for name, source in (
        ("xar", path),
        ("payload", component / "Payload"),
        ("scripts", component / "Scripts"),
    ):
        (root / name).mkdir()
        done = process.run(process.Request(argv=(bsdtar, "-xpf", str(source)), cwd=root / name))
        assert done.ok, done.stderr
    tools = root / "bin"
    tools.mkdir()
    (tools / "uname").write_text(UNAME)
    (tools / "uname").chmod(0o755)
    for folder in (root, *root.parents):
        if folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o011)
    return Package(path=path, payload=root / "payload", scripts=root / "scripts", programs=tools)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_script_is_clean(package: Package) -> None:
    shellcheck = needed("shellcheck")
    script = str(package.scripts / "postinstall")
    assert process.run(process.Request(argv=(shellcheck, "-s", "sh", script))).stdout == ""
    assert names(package.scripts) == ["postinstall"]


@pytest.mark.parametrize(
    "shell", [("dash",), ("bash", "--posix"), ("busybox", "sh")], ids=lambda shell: shell[0]
)
def test_installs_into_a_folder_with_a_space(
    shell: tuple[str, ...], package: Package, tmp_path: Path
) -> None:
    need_shell_that_searches_path(*shell)
    location = tmp_path / "some place"
    done = package.install(location, shell=shell)
    assert (done.exit_code, done.stderr) == (0, "")
    prefix = location / "tiny"
    assert f"Tiny & Sons 2026.11.0 is installed in {prefix}" in done.stdout
    assert names(location) == ["tiny"]
    tool = process.run(process.Request(argv=(str(prefix / "bin" / "tool"), "x")))
    assert tool.stdout == f"{prefix} x\n"


def test_a_location_has_one_name(package: Package, tmp_path: Path) -> None:
    place = tmp_path / "place"
    package.unpack(place)
    done = package.run(package.path, f"{place}/.//../place/")
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"is installed in {place}/tiny\n" in done.stdout
    tool = process.run(process.Request(argv=(str(place / "tiny" / "bin" / "tool"),)))
    assert tool.stdout.strip() == f"{place}/tiny"


def test_older_release_is_replaced_and_files_of_others_are_kept(package: Package, tmp_path: Path) -> None:
    location = tmp_path / "place"
    assert package.install(location).ok
    done = package.install(location)
    assert done.exit_code == 0, done.stderr
    assert process.run(process.Request(argv=(str(location / "tiny" / "bin" / "tool"),))).ok
    assert not (location / ".tiny-installer").exists()
    (tmp_path / "other" / "tiny").mkdir(parents=True)
    (tmp_path / "other" / "tiny" / "thesis.tex").write_text("mine")
    refused = package.install(tmp_path / "other")
    assert refused.exit_code == 1
    assert "is not replaced" in refused.stderr
    assert "could not be installed" in refused.stderr
    assert names(tmp_path / "other") == ["tiny"]
    assert names(tmp_path / "other" / "tiny") == ["thesis.tex"]


def test_byte_code_is_made_before_the_script_ends(dress: Any, tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    lean = unpacked(dress(InstallerSettings(bytecode=ByteCode.DESKTOP)).image, tmp_path / "pkg")
    done = lean.install(tmp_path / "place")
    assert (done.exit_code, done.stderr) == (0, "")
    prefix = tmp_path / "place" / "tiny"
    assert f"{prefix}/bin/tiny-admin compile" in done.stdout
    made = load(str(prefix)).manifest.compiled()
    assert len(made) > 300
    assert all(sha256_file(prefix / path) == file.sha256 for path, file in made.items())


@pytest.mark.parametrize("place", [0, 0.3, 0.9, 1])
def test_damaged_payload(place: float, package: Package, tmp_path: Path) -> None:
    location = tmp_path / "place"
    installer = package.unpack(location) / "installer.sh"
    data = bytearray(installer.read_bytes())
    at = min(int(len(data) * place), len(data) - 1) if place else data.index(b"check_system() {")
    data[at] ^= 1
    installer.write_bytes(data)
    done = package.run(package.path, location, "/")
    assert done.exit_code == 5
    assert "is damaged" in done.stderr
    assert names(location) == []


def test_missing_payload_and_missing_arguments(package: Package, tmp_path: Path) -> None:
    location = tmp_path / "place"
    (package.unpack(location) / "installer.sh").unlink()
    done = package.run(package.path, location, "/")
    assert done.exit_code == 5
    assert "the package is damaged" in done.stderr
    assert names(location) == []
    for arguments in ((), (package.path,), (package.path, ""), (package.path, "relative", "/")):
        done = package.run(*arguments)
        assert done.exit_code == 1
        assert "no target location" in done.stderr


def test_wrong_machine(package: Package, tmp_path: Path) -> None:
    done = package.install(tmp_path / "place", more={"PATH": os.environ["PATH"]})
    assert done.exit_code == 3
    assert "is for Darwin, but this is Linux" in done.stderr
    assert names(tmp_path / "place") == []


def owners(folder: Path) -> set[int]:
    return {path.lstat().st_uid for path in (folder, *folder.rglob("*"))}


def test_in_a_home_all_belongs_to_its_user(package: Package, tmp_path: Path) -> None:
    need_root()
    home = tmp_path / "home of nobody"
    home.mkdir()
    os.chown(home, 65534, 65534)
    done = package.install(home / "opt", more={"USER": "nobody"})
    assert done.exit_code == 0, done.stderr
    assert owners(home / "opt") == {65534}
    for user in ("nobody", "root", "", "no such user"):
        location = tmp_path / f"for all, asked by {user}"
        assert package.install(location, more={"USER": user}).exit_code == 0
        assert owners(location) == {0}


def test_asked_by_root_for_whoever_sits_at_the_console(package: Package, tmp_path: Path) -> None:
    need_root()
    stat = tmp_path / "bin" / "stat"
    stat.parent.mkdir()
    stat.write_text('#!/bin/sh\n[ "$*" = "-f %Su /dev/console" ] && echo nobody\n')
    stat.chmod(0o755)
    path = {"PATH": f"{stat.parent}:{package.environment()['PATH']}"}
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    assert package.install(home / "opt", more=path).exit_code == 0
    assert owners(home / "opt") == {65534}
    assert package.install(tmp_path / "all", more=path).exit_code == 0
    assert owners(tmp_path / "all") == {0}


def test_for_one_user_without_root(package: Package, tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv")
    for folder in tmp_path.parents:
        if folder.stat().st_uid == 0:
            folder.chmod(folder.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    location = tmp_path / "home" / "opt"
    package.unpack(location)
    for path in (location.parent, location, *location.rglob("*")):
        os.chown(path, 65534, 65534)
    shell = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh")
    done = package.run(package.path, location, tmp_path / "home", shell=shell, more={"USER": "nobody"})
    assert done.exit_code == 0, done.stderr
    assert names(location) == ["tiny"]


def test_asked_to_stop(package: Package, tmp_path: Path) -> None:
    location = tmp_path / "place"
    package.unpack(location)
    running = subprocess.Popen(
        [package.scripts / "postinstall", package.path, location, "/"],
        env=package.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    # Before its handlers are there, a Python that is starting leaves its folder for the next start to remove.
    wait_until(lambda: any(location.glob(".*.partial/conda-meta")), running)
    os.killpg(running.pid, signal.SIGTERM)
    running.communicate()
    assert running.returncode != 0
    assert names(location) == []


def test_killed_in_a_container(package: Package, tmp_path: Path) -> None:
    """Repeat it: each is process 1, so no such number tells the left-over from a live installer."""
    need_root("for a namespace of processes")
    location = tmp_path / "place"
    container = (needed("unshare"), "--pid", "--fork", "--kill-child")
    for _ in range(2):
        package.unpack(location)
        running = subprocess.Popen(
            [*container, package.scripts / "postinstall", package.path, location, "/"],
            env=package.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        wait_until(lambda: any(location.glob(".*.partial/conda-meta")), running)
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
    done = package.install(location, shell=container)
    assert (done.exit_code, done.stderr) == (0, "")
    assert names(location) == ["tiny"]


def test_closed_streams(package: Package, tmp_path: Path) -> None:
    location = tmp_path / "opt"
    package.unpack(location)
    closed = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", "sh")
    assert package.run(package.path, location, "/", shell=closed).exit_code == 0
    assert names(location) == ["tiny"]
    assert package.run(package.path, location, "/", shell=closed).exit_code == 5
