"""Nothing that a package brought, or that lies in a prefix, runs in the installer or in its command."""

import os
from pathlib import Path

import pytest

from cuvee import process
from cuvee.channel.package_writer import PackageContent, PackageFile
from cuvee.errors import BlockedError
from cuvee.image.settings import InstallerSettings
from installers.conftest import Dress
from tiny_release import TIME, Release

pytestmark = pytest.mark.real

VERBS = ("verify", "info", "list", "licenses", "repair", "uninstall")
PROGRAMS = (
    "tar",
    "gzip",
    "head",
    "tail",
    "wc",
    "sha256sum",
    "mkdir",
    "rm",
    "rmdir",
    "id",
    "uname",
    "df",
    "cat",
)
MODULES = ("json", "posixpath", "threading", "zstandard", "_cffi_backend", "fcntl", "re")


def trap(path: Path, marker: Path, *, module: bool) -> None:
    """Put something at ``path`` that leaves ``marker`` when it runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    python = f"open({str(marker)!r}, 'w').close()\n"
    path.write_text(python if module else f"#!/bin/sh\n: >'{marker}'\nexec /usr/bin/env -i false\n")
    path.chmod(0o755)


def package(platform: str, *files: PackageFile) -> PackageContent:
    return PackageContent(
        name="evil", version="1", build="0", subdir=platform, timestamp=TIME, depends=("python",), files=files
    )


def test_modules_beside_the_runtime_and_in_site_packages(release: Release, tmp_path: Path) -> None:
    prefix, marker = tmp_path / "prefix", tmp_path / "ran"
    assert release.install("-b", "-p", prefix).ok
    library = next((prefix / "lib").glob("python3.*"))
    for name in MODULES:
        trap(prefix / f"conda-meta/cuvee/{name}.py", marker, module=True)
        if not (library / f"site-packages/{name}").exists():
            trap(library / f"site-packages/{name}.py", marker, module=True)
    trap(library / "site-packages/compression/zstd.py", marker, module=True)
    trap(library / "site-packages/compression/__init__.py", marker, module=True)
    for verb in VERBS:
        process.run(process.Request(argv=(str(prefix / "bin/tiny-admin"), verb)))
        assert not marker.exists(), verb


def test_programs_of_an_environment_on_path(release: Release, newer: Release, tmp_path: Path) -> None:
    prefix, marker = tmp_path / "prefix", tmp_path / "ran"
    assert release.install("-b", "-p", prefix).ok
    for name in PROGRAMS:
        trap(prefix / f"bin/{name}", marker, module=False)
    # An activated environment, and the current folder, which is inside of it.
    environment = {"PATH": f"{prefix}/bin:.::{os.environ['PATH']}"}
    for arguments in (("--check",), ("-b", "-u", "-p", prefix)):
        done = newer.install(*arguments, environment=environment, cwd=prefix / "bin")
        assert done.ok, done.stderr
        assert not marker.exists(), arguments


def test_a_library_that_the_interpreter_would_load(dress: Dress, release: Release) -> None:
    evil = package(release.lock.platform, PackageFile(path="lib/libc.so.6", content=b"\x7fELF"))
    with pytest.raises(BlockedError, match=r"evil has lib/libc.so.6, which .* would load"):
        dress(InstallerSettings(), evil)
