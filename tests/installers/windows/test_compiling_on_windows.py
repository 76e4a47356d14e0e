"""An installer for Windows that leaves byte code to the desktop."""

import json
import shlex
from pathlib import Path

import pytest
from rattler.package_streaming import extract

from cuvee.byte_code.byte_compiler import ByteCompiler
from cuvee.files import sha256_file
from cuvee.image.build import build_image
from cuvee.image.model import Image
from cuvee.image.settings import ByteCode, InstallerSettings
from cuvee.installers.branding import Branding
from cuvee.installers.windows.exe import build_exe
from cuvee.progress import SILENT
from cuvee.release.record import Release
from cuvee.runtime.prefix_state import load
from needed_programs import needed, needs
from wine_desktop import Wine

pytestmark = pytest.mark.real


@pytest.fixture
def lean(win_image: Image, branding: Branding, wine: Wine, tmp_path: Path) -> Path:
    """The installer of the tiny release without byte code."""
    folder = win_image.folder.parents[1]
    (lock,) = (one for one in Release.open(folder).locked.lock.platforms if one.platform == "win-64")
    found = {path.name: path for path in (folder / "channel").rglob("*.conda")}
    archives = {package.identifier: found[package.file_name] for package in lock.packages}
    python = archives[lock.by_name["python"].identifier]
    image = build_image(
        lock,
        release=win_image.label,
        archives=archives,
        requested={},
        cache=tmp_path / "cache",
        folder=tmp_path / "image",
        level=1,
        compiler=ByteCompiler(windows_python(python, wine, tmp_path / "windows"), tmp_path / "cache"),
        reporter=SILENT,
        settings=InstallerSettings(bytecode=ByteCode.DESKTOP),
    )
    assert image.settings.bytecode is ByteCode.DESKTOP
    target = tmp_path / "Lean.exe"
    return build_exe(image, branding=branding, target=target, reporter=SILENT, compression="quick")


def windows_python(archive: Path, wine: Wine, folder: Path) -> Path:
    """Return a program that runs the release's own Python: that of this host has another version."""
    extract(archive, folder)
    exports = [f"export {name}={shlex.quote(text)}" for name, text in wine.environment.items()]
    start = shlex.join([needed("wine"), str(folder / "python.exe")])
    program = folder / "python3.11"
    program.write_text("\n".join(["#!/bin/sh", *exports, f'exec {start} "$@" 2>/dev/null', ""]))
    program.chmod(0o755)
    return program


@needs("wine", "makensis")
def test_it_compiles_under_wine(lean: Path, wine: Wine, tmp_path: Path) -> None:
    prefix = tmp_path / "Lean tiny"
    done = wine.install(lean, prefix)
    assert done.ok, done
    made = load(str(prefix)).manifest.compiled()
    assert len(made) > 10
    assert {path: sha256_file(prefix / path) for path in made} == {
        path: file.sha256 for path, file in made.items()
    }

    def admin(verb: str) -> dict[str, object]:
        said = wine.run(prefix / "Scripts" / "tiny-admin.cmd", verb, "--json")
        value: dict[str, object] = json.loads(said.stdout)
        return value

    assert admin("verify")["good"]
    absent = prefix / min(made)
    absent.unlink()
    value = admin("verify")
    assert (value["missing"], value["good"]) == ([], False)
    assert isinstance(value["byte_code"], dict)
    assert value["byte_code"]["waiting"] == [min(made)]
    assert admin("compile")["waiting"] == []
    assert sha256_file(absent) == made[min(made)].sha256
    (uninstaller,) = prefix.glob("Uninstall-*.exe")
    assert wine.uninstall(uninstaller) == 0
    assert not prefix.exists()
