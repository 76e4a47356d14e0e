"""An installer for Windows that leaves byte code to the desktop."""

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from rattler.package_streaming import extract

from cuvee.byte_code.byte_compiler import ByteCompiler
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.files import sha256_file
from cuvee.image.build import build_image
from cuvee.image.model import Image
from cuvee.image.settings import ByteCode, InstallerSettings
from cuvee.installers.branding import Branding
from cuvee.installers.delta_installer import make_delta
from cuvee.installers.whole_installer import read_installer
from cuvee.installers.windows.exe import build_exe
from cuvee.installers.windows.msi import build_msi
from cuvee.progress import SILENT
from cuvee.release.record import Release
from cuvee.runtime.payload_manifest import PayloadFile
from cuvee.runtime.prefix_state import load
from msi_desktop import msiexec
from needed_programs import needed, needs
from tiny_release import locked
from wine_desktop import Wine, windows

pytestmark = pytest.mark.real
MODULE = "Lib/site-packages/zz.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lean")


@pytest.fixture(scope="module")
def lean(win_image: Image, wine: Wine, folder: Path) -> Image:
    """The tiny release without byte code in its installer, with one more module."""
    return make(win_image, "2026.11.0", "x = {1, 'first'}\n", wine, folder)


@pytest.fixture(scope="module")
def newer_lean(lean: Image, win_image: Image, wine: Wine, folder: Path) -> Image:
    """The next release, in which that module is another one."""
    return make(win_image, "2026.11.1", "y = {2, 'second'}\n", wine, folder)


def make(like: Image, version: str, module: str, wine: Wine, folder: Path) -> Image:
    release = like.folder.parents[1]
    (lock,) = (one for one in Release.open(release).locked.lock.platforms if one.platform == "win-64")
    found = {path.name: path for path in (release / "channel").rglob("*.conda")}
    archives = {package.identifier: found[package.file_name] for package in lock.packages}
    python = archives[lock.by_name["python"].identifier]
    content = PackageContent(
        name="zz", version=version, build="0", subdir="win-64", timestamp=0,
        files=(PackageFile(path=MODULE, content=module.encode()),),
    )  # fmt: skip
    path = write_package(content, folder)
    more = locked(path, "win-64")
    image = build_image(
        replace(lock, packages=(*lock.packages, more)),
        release=replace(like.label, version=version),
        archives=archives | {more.identifier: path},
        requested={},
        cache=folder / "cache",
        folder=folder / version,
        level=1,
        compiler=ByteCompiler(windows_python(python, wine, folder / "windows"), folder / "cache"),
        reporter=SILENT,
        settings=InstallerSettings(bytecode=ByteCode.DESKTOP),
    )
    assert image.settings.bytecode is ByteCode.DESKTOP
    return image


def exe(image: Image, branding: Branding) -> Path:
    target = image.folder.parent / f"Lean-{image.label.version}.exe"
    if not target.exists():
        build_exe(image, branding=branding, target=target, reporter=SILENT, compression="quick")
    return target


def windows_python(archive: Path, wine: Wine, folder: Path) -> Path:
    """Return a program that runs the release's own Python: that of this host has another version."""
    if not folder.exists():
        extract(archive, folder)
    exports = [f"export {name}={shlex.quote(text)}" for name, text in wine.environment.items()]
    start = shlex.join([needed("wine"), str(folder / "python.exe")])
    program = folder / "python3.11"
    program.write_text("\n".join(["#!/bin/sh", *exports, f'exec {start} "$@" 2>/dev/null', ""]))
    program.chmod(0o755)
    return program


def admin(wine: Wine, prefix: Path, verb: str) -> dict[str, object]:
    said = wine.run(prefix / "Scripts" / "tiny-admin.cmd", verb, "--json")
    value: dict[str, object] = json.loads(said.stdout)
    return value


def check(prefix: Path) -> dict[str, PayloadFile]:
    """Look whether all byte code is as it was released; return it."""
    made = load(str(prefix)).manifest.compiled()
    assert len(made) > 10
    assert {path: sha256_file(prefix / path) for path in made} == {
        path: file.sha256 for path, file in made.items()
    }
    return made


@needs("wine", "makensis")
def test_it_compiles_under_wine(
    lean: Image, newer_lean: Image, branding: Branding, wine: Wine, tmp_path: Path
) -> None:
    prefix = tmp_path / "Lean tiny"
    done = wine.install(exe(lean, branding), prefix)
    assert done.ok, done
    made = check(prefix)
    assert admin(wine, prefix, "verify")["good"]
    absent = prefix / min(made)
    absent.unlink()
    value = admin(wine, prefix, "verify")
    assert (value["missing"], value["good"]) == ([], False)
    assert isinstance(value["byte_code"], dict)
    assert value["byte_code"]["waiting"] == [min(made)]
    assert admin(wine, prefix, "compile")["waiting"] == []
    check(prefix)

    absent.unlink()  # which a delta does not need
    sides = (read_installer(exe(image, branding)) for image in (lean, newer_lean))
    delta = make_delta(*sides, folder=tmp_path, reporter=SILENT).path
    done = wine.install(delta, prefix)
    assert done.ok, wine.log("Tiny", "install")
    newer = check(prefix)
    (path,) = (path for path in newer if newer[path] != made.get(path))
    assert Path(path).name == "zz.cpython-311.pyc"
    assert admin(wine, prefix, "verify")["good"]
    (uninstaller,) = prefix.glob("Uninstall-*.exe")
    assert wine.uninstall(uninstaller) == 0
    assert not prefix.exists()


@needs("wine", "makensis", "wixl", "msibuild")
def test_windows_installer_removes_what_was_compiled(
    newer_lean: Image, branding: Branding, wine: Wine, tmp_path: Path
) -> None:
    """It has a list of no file: the uninstaller of the release does the work."""
    prefix, log = tmp_path / "Lean tiny", tmp_path / "msi.log"
    installer = exe(newer_lean, branding)
    msi = build_msi(
        newer_lean, exe=installer, branding=branding, target=tmp_path / "Lean.msi", reporter=SILENT
    )
    assert msiexec(wine, "/i", msi, log, f"INSTALLDIR={windows(prefix)}", "NOSHORTCUTS=1") == 0
    made = check(prefix)
    source = prefix / MODULE
    own = source.parent / "__pycache__" / "zz.cpython-311.pyc"
    assert own.relative_to(prefix).as_posix() in made
    own.unlink()
    assert wine.run(prefix / "python.exe", "-c", "import zz").ok  # Python makes it, with a longer name in it
    assert sha256_file(own) != made[own.relative_to(prefix).as_posix()].sha256
    assert msiexec(wine, "/x", msi, log) == 0
    assert not prefix.exists()
    assert not wine.has_key(r"HKLM\Software\cuvee\Tiny")
