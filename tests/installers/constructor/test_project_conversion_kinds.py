"""One constructor project, made into our installers of every kind, each of which is run."""

import functools
import http.server
import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cuvee import process
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import index_channel
from cuvee.conda.package_info import read_info
from cuvee.files import sha256_file
from cuvee.installers.windows.msi import product_code
from cuvee.process import Completed, Request
from cuvee.release.channel_stage import make_channel
from lean_interpreter import package_files
from needed_programs import HANGING, need, needed
from tiny_distribution import Distribution, Recorder
from tiny_release import TIME, Release, decoder, tools
from wine_desktop import Wine, windows

pytestmark = [pytest.mark.real, pytest.mark.minutes(2)]

MAC = "osx-arm64"
PROGRAMS = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"

# What the interpreter for Windows and its decoder come from.
MANIFEST = """\
manifest: 1
distribution: tiny
version: "2026.11.0"
title: Tiny
platforms:
  win-64: {floor: {win: "10"}}
interpreter: host
exclude-newer: 2026-11-20T00:00:00Z
owners: {core: {contact: core@example.org}}
packages:
  python: {version: ">=3.11", owner: core}
suites: [smoke]
installers: {formats: {win: [exe]}}
"""

PROJECT = """\
{% set version = environ.get("TOOL_VERSION", "3.1.4") %}
name: MyTool
version: "{{ version }}"
company: Miller & "Sons"
reverse_domain_identifier: org.example
installer_type: all   # [win]
installer_type: pkg   # [osx]
channels:
  - SERVED
channels_remap:
  - src: SERVED
    dest: https://example.org/acme
specs:                     # [osx]
  - tools >=1              # [osx]
  - menus                  # [osx]
  - menus-unwanted         # [osx]
  - left-out               # [osx]
environment_file: environment.yaml  # [win]
user_requested_specs:
  - tools
exclude:
  - left-out
license_file: LICENSE.txt
pre_install: pre_install.sh     # [unix]
pre_install: pre_install.bat    # [win]
post_install: post_install.sh   # [unix]
post_install: post_install.bat  # [win]
pre_uninstall: pre_uninstall.bat  # [win]
script_env_variables:
  WHO: you & me
extra_files:
  - LICENSE.txt: share/mytool/LICENSE.txt
menu_packages:
  - menus
write_condarc: true
conda_channel_alias: https://example.org/
initialize_conda: false
register_python: true
register_python_default: true
keep_pkgs: true
build_outputs:
  - hash:
      algorithm:
        - sha256
        - md5
  - info.json
  - licenses:
      include_text: true
  - lockfile
  - pkgs_list
"""

FILES = {
    "LICENSE.txt": "Be kind: „immer“.\n",
    "environment.yaml": """\
name: whatever
channels:
  - SERVED
dependencies:
  - tools >=1
  - menus
  - menus-unwanted
  - left-out
""",
    "pre_install.sh": '#!/bin/sh\n[ ! -d "$PREFIX" ] || echo again\n',
    "post_install.sh": "#!/bin/sh\n"
    'echo "$INSTALLER_NAME|$INSTALLER_VER|$INSTALLER_TYPE|$WHO" >"$PREFIX/post"\n',
    "pre_install.bat": '@echo off\r\nif exist "%PREFIX%\\conda-meta\\history" echo again\r\n',
    "post_install.bat": "@echo off\r\n"
    '>"%PREFIX%\\post" echo %INSTALLER_NAME%^|%INSTALLER_VER%^|%INSTALLER_TYPE%^|"%WHO%"\r\n'
    "if defined TOOL_FAILS exit /b 3\r\n",
    "pre_uninstall.bat": '@echo off\r\n>"%TEMP%\\gone" echo %INSTALLER_NAME%\r\n',
}


def menu(name: str) -> PackageContent:
    """A package with a menu entry."""
    entry = {
        "name": f"Start {name}",
        "description": "",
        "command": ["{{ PREFIX }}/bin/tool"],
        "activate": False,
        "platforms": {"linux": {}, "osx": {}, "win": {"command": ["{{ SCRIPTS_DIR }}/tool.exe", "x"]}},
    }
    schema = "https://schemas.conda.org/menuinst-1.schema.json"
    value = {"$id": schema, "$schema": schema, "menu_name": "MyTool", "menu_items": [entry]}
    return PackageContent(
        name=name,
        version="1.0",
        build="0",
        subdir="noarch",
        noarch="generic",
        timestamp=TIME,
        files=(PackageFile(path=f"Menu/{name}.json", content=json.dumps(value).encode()),),
    )


def other_spelling() -> PackageContent:
    """A package that spells folders of the package `tools` otherwise: on these systems they are the same."""
    content = menu("menus-unwanted")
    more = PackageFile(path="Share/TOOLS/more", content=b"x")
    return replace(content, files=(*content.files, more))


def left_out() -> PackageContent:
    return replace(menu("left-out"), files=(PackageFile(path="share/left-out", content=b"x"),))


def for_mac(archive: Path, folder: Path) -> Path:
    """The host's package, for macOS: its script is run on this machine."""
    info = read_info(archive)
    content = PackageContent(
        name=info.index.name,
        version=info.index.version,
        build=info.index.build,
        subdir=MAC,
        timestamp=TIME,
        depends=tuple(need for need in info.index.depends if not need.startswith("__")),
        files=package_files(info, folder),
    )
    return write_package(content, folder / MAC)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A channel that is served on this machine, and a project that names it."""

    address: str
    folder: Path
    cache: Path

    def make(self, platform: str, output: Path) -> Completed:
        """Make the project's installers."""
        argv = [sys.executable, "-m", "cuvee", "installers", "--from", str(self.folder / "project")]
        argv += ["--platform", platform, "--output", str(output), "--cache", str(self.cache), "--json", "-q"]
        return process.run(Request(argv=tuple(argv), timeout=HANGING))


@pytest.fixture(scope="module")
def shop(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    root = tmp_path_factory.mktemp("shop")
    channel, project = root / "channel", root / "project"
    parts = Distribution(root, Recorder())
    session = parts.session(parts.write(MANIFEST))
    with session.workspace.locked():
        assert make_channel(session).absent == ()
    shutil.copytree(session.workspace.channel, channel)
    for content in (tools(), menu("menus"), other_spelling(), left_out(), decoder(MAC)):
        write_package(content, channel / content.subdir)
    python = next(package for package in release.lock.packages if package.name == "python")
    for_mac(release.archives[python.identifier], channel)
    index_channel(channel, ["win-64", MAC])

    handler = functools.partial(Quiet, directory=str(channel))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    project.mkdir()
    for name, text in {"construct.yaml": PROJECT, **FILES}.items():
        (project / name).write_text(text.replace("SERVED", address), encoding="utf-8", newline="")
    yield Shop(address=address, folder=root, cache=root / "cache")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    need("wine")
    desktop = Wine(tmp_path_factory.mktemp("wine"))
    yield desktop
    desktop.stop()


@pytest.fixture(scope="module")
def made_for_windows(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The `.exe` and the `.msi`."""
    need("makensis", "wixl", "msibuild")
    output = tmp_path_factory.mktemp("windows")
    exe, msi = check_outputs(shop.make("win-64", output), output, ["exe", "msi"])
    return exe, msi


def check_outputs(done: Completed, output: Path, kinds: list[str]) -> list[Path]:
    """Hold what has been made, and what is beside it, to the project; give the installers."""
    assert done.exit_code == 0, done.stdout + done.stderr
    (result,) = json.loads(done.stdout)
    installers = [output / item["path"] for item in result["artefacts"]]
    assert [path.suffix[1:] for path in installers] == kinds
    assert {name.partition("@")[0].rsplit("-", 2)[0] for name in result["packages"]} == {
        *("menus", "menus-unwanted", "python", "tools", "zstandard"),
    }
    for path in installers:
        assert path.with_name(f"{path.name}.sha256").read_text() == f"{sha256_file(path)}  {path.name}\n"
        assert path.with_name(f"{path.name}.md5").is_file()
    lines = (output / "lockfile.base.txt").read_text()
    assert "https://example.org/acme/noarch/tools-1.0-py_0.conda#" in lines
    assert "127.0.0.1" not in lines
    assert json.loads((output / "info.json").read_text())["version"] == "3.1.4"
    return installers


def check_prefix(prefix: Path, kind: str) -> None:
    """Hold an installed prefix to the project."""
    # cmd writes the quotation marks that keep the ampersand from being a command.
    assert (prefix / "post").read_text().strip().replace('"', "") == f"MyTool|3.1.4|{kind}|you & me"
    assert (prefix / "share/mytool/LICENSE.txt").read_text(encoding="utf-8") == FILES["LICENSE.txt"]
    condarc = (prefix / ".condarc").read_text()
    assert "channel_alias: https://example.org/" in condarc
    record = json.loads((prefix / "conda-meta/tools-1.0-py_0.json").read_text())
    assert record["url"] == "https://example.org/acme/noarch/tools-1.0-py_0.conda"
    assert record["requested_spec"] == "tools"
    assert not (prefix / "share/left-out").exists()
    assert (prefix / "Menu/menus-unwanted.json").exists()
    (folder,) = [path for path in prefix.iterdir() if path.name.lower() == "share"]
    (folder,) = [path for path in folder.iterdir() if path.name.lower() == "tools"]
    assert {path.name for path in folder.iterdir()} == {"more", "readme"}


def shortcuts(wine: Wine, users: str) -> list[str]:
    folder = "AppData/Roaming/Microsoft/Windows" if users == "users" else "Microsoft/Windows"
    return sorted(path.stem for path in wine.drive.glob(f"{users}/**/{folder}/Start Menu/Programs/MyTool/*"))


def test_exe(made_for_windows: tuple[Path, Path], wine: Wine, tmp_path: Path) -> None:
    prefix = tmp_path / "Käse Wein" / "mytool"
    failed = wine.run(made_for_windows[0], "/S", f"/D={windows(prefix)}", environment={"TOOL_FAILS": "1"})
    assert failed.exit_code == 1
    assert "post_install" in wine.log("Mytool", "install")
    assert not prefix.parent.exists()
    assert wine.install(made_for_windows[0], prefix).exit_code == 0, wine.log("Mytool", "install")
    check_prefix(prefix, "EXE")
    done = wine.run(prefix / "Scripts" / "tool.exe", "works")
    assert done.stdout.split()[-1] == "works", done
    assert shortcuts(wine, "users") == ["Start menus"]
    assert wine.registry(r"HKCU\Software\Python\Mytool\3.1.4")["SysVersion"] == "3.11"
    program = wine.registry(rf"HKCU\{PROGRAMS}\Mytool")
    assert (program["DisplayName"], program["Publisher"]) == ("MyTool 3.1.4", 'Miller & "Sons"')
    command = prefix / "Scripts" / "mytool-admin.cmd"
    assert wine.run("cmd", "/c", command, "verify").exit_code == 0
    (prefix / "share" / "tools" / "readme").write_text("changed")
    assert wine.run("cmd", "/c", command, "verify").exit_code == 1
    assert wine.install(made_for_windows[0], prefix, "/repair").exit_code == 0
    assert wine.run("cmd", "/c", command, "verify").exit_code == 0
    (prefix / "mine.txt").write_text("mine")
    assert wine.uninstall(prefix / "Uninstall-Mytool.exe") == 0
    assert {path.name for path in prefix.iterdir()} == {"mine.txt", "cuvee-saved"}
    (said,) = wine.drive.glob("users/**/gone")
    assert said.read_text().strip() == "MyTool"
    assert shortcuts(wine, "users") == []
    assert not wine.has_key(rf"HKCU\{PROGRAMS}\Mytool")


def test_msi(made_for_windows: tuple[Path, Path], wine: Wine, tmp_path: Path) -> None:
    msi, prefix, log = made_for_windows[1], tmp_path / "Käse Wein" / "mytool", tmp_path / "msi.log"
    call = ("/qn", "/l*v", windows(log))
    where = f"INSTALLDIR={windows(prefix)}"
    failed = wine.run(
        *("msiexec", "/i", windows(msi), *call, where), environment={"TOOL_FAILS": "1"}, timeout=HANGING
    )
    assert failed.exit_code != 0
    assert not prefix.exists()
    assert wine.run("msiexec", "/i", windows(msi), *call, where, timeout=HANGING).exit_code == 0
    check_prefix(prefix, "EXE")
    done = wine.run(prefix / "Scripts" / "tool.exe", "works")
    assert done.stdout.split()[-1] == "works", done
    key = rf"HKLM\{PROGRAMS}\{{{product_code('mytool', '3.1.4')}}}"
    program = wine.registry(key)
    assert (program["DisplayVersion"], program["Publisher"]) == ("3.1.4", 'Miller & "Sons"')
    assert wine.run("cmd", "/c", prefix / "Scripts" / "mytool-admin.cmd", "verify").exit_code == 0
    assert wine.run("msiexec", "/x", windows(msi), *call, timeout=HANGING).exit_code == 0
    assert not prefix.exists()
    assert not wine.has_key(key)


def test_pkg(shop: Shop, tmp_path: Path) -> None:
    bsdtar = needed("bsdtar")
    (pkg,) = check_outputs(shop.make(MAC, tmp_path / "out"), tmp_path / "out", ["pkg"])
    for name, source in (("xar", pkg), ("at", "mytool.pkg/Payload"), ("scripts", "mytool.pkg/Scripts")):
        (tmp_path / name).mkdir()
        argv = (bsdtar, "-xpf", str(tmp_path / "xar" / source))
        assert process.run(Request(argv=argv, cwd=tmp_path / name)).ok
    assert 'identifier="org.example.MyTool"' in (tmp_path / "xar/mytool.pkg/PackageInfo").read_text()
    assert "immer" in (tmp_path / "xar/Resources/license.html").read_text(encoding="utf-8")
    uname = tmp_path / "bin" / "uname"
    uname.parent.mkdir()
    uname.write_text('#!/bin/sh\n[ "$1" = -s ] && echo Darwin || echo arm64\n')
    uname.chmod(0o755)
    environment = {"PATH": f"{uname.parent}:{os.environ['PATH']}", "USER": "root", "HOME": str(tmp_path)}

    def run(*argv: str | Path) -> Completed:
        return process.run(Request(argv=tuple(map(str, argv)), environment=environment, timeout=HANGING))

    prefix = tmp_path / "at" / "mytool"
    done = run(tmp_path / "scripts" / "postinstall", pkg, prefix.parent, "/")
    assert done.exit_code == 0, done.stderr
    assert [path.name for path in prefix.parent.iterdir()] == ["mytool"]
    check_prefix(prefix, "PKG")
    assert run(prefix / "bin" / "tool", "works").stdout.split() == [str(prefix), "works"]
    admin = prefix / "bin" / "mytool-admin"
    assert run(admin, "verify").exit_code == 0
    assert run(admin, "uninstall").exit_code == 0
    assert not prefix.exists()
