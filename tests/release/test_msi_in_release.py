"""A release with an `.exe` and an `.msi`: the one is made once, and held by the other."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from cuvee import process
from cuvee.files import sha256_file
from cuvee.installers.windows import msi
from cuvee.process import Request
from cuvee.release.artefacts import Artefact
from needed_programs import needed, needs
from tiny_distribution import Distribution, Recorder

pytestmark = [
    pytest.mark.real,
    needs("makensis"),
    needs("wixl", "msibuild"),
]

EXE, MSI = "Tiny-2026.11.0-Windows-x86_64.exe", "Tiny-2026.11.0-Windows-x86_64.msi"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> Distribution:
    """The tiny distribution, cut for Windows; read-only."""
    distribution = Distribution(tmp_path_factory.mktemp("tiny-msi"), Recorder())
    text = tiny_text.replace("linux: [sh]", "win: [msi, exe]").replace("suites: [smoke]\n", "")
    distribution.cut(distribution.write(text), "win-64")
    return distribution


@dataclass(frozen=True)
class Copy:
    """A copy that may be changed, and cut again."""

    distribution: Distribution
    exe: Path
    msi: Path

    def cut(self) -> tuple[Artefact, ...]:
        path = self.distribution.root / "manifests" / "tiny" / "2026.11.0.yaml"
        return self.distribution.cut(path, "win-64").handed_out

    def made(self) -> list[str]:
        """The installers that the last run has made, in order."""
        return [line for line in self.distribution.recorder.lines if line.endswith((".exe", ".msi"))]


@pytest.fixture
def copy(first: Distribution, tmp_path: Path) -> Copy:
    shutil.copytree(first.root, tmp_path / "tiny")
    folder = tmp_path / "tiny" / "dist" / "tiny-2026.11.0" / "installers"
    return Copy(Distribution(tmp_path / "tiny", Recorder()), folder / EXE, folder / MSI)


def test_the_exe_is_made_once_and_held(first: Distribution, copy: Copy, tmp_path: Path) -> None:
    assert [line for line in first.recorder.lines if line.endswith((".exe", ".msi"))] == [EXE, MSI]
    msidump = needed("msidump")
    argv = (msidump, "-s", "-d", str(tmp_path), str(copy.msi))
    assert process.run(Request(argv=argv, cwd=tmp_path)).ok
    assert sha256_file(tmp_path / "_Streams" / "Binary.Setup") == sha256_file(copy.exe)


def test_alone_it_is_the_same(copy: Copy) -> None:
    manifest = copy.distribution.root / "manifests" / "tiny" / "2026.11.0.yaml"
    manifest.write_text(manifest.read_text().replace("[msi, exe]", "[msi]"))
    before = sha256_file(copy.msi)
    copy.exe.unlink()
    copy.msi.unlink()
    assert [item.name for item in copy.cut()] == [MSI]
    assert copy.made() == [EXE, MSI]
    assert sha256_file(copy.msi) == before
    assert not copy.exe.exists()


def test_an_exe_that_was_changed_is_made_again(copy: Copy) -> None:
    before, status = [sha256_file(path) for path in (copy.exe, copy.msi)], copy.exe.stat()
    data = bytearray(copy.exe.read_bytes())
    data[-1] ^= 1
    copy.exe.write_bytes(data)
    os.utime(copy.exe, ns=(status.st_atime_ns, status.st_mtime_ns))
    copy.msi.unlink()
    copy.cut()
    assert [sha256_file(path) for path in (copy.exe, copy.msi)] == before


def test_one_that_is_too_large_costs_the_msi_alone(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    copy.msi.unlink()
    monkeypatch.setattr(msi, "_LARGEST", 1 << 20)
    exe, missing = copy.cut()
    assert (exe.name, exe.not_made, missing.name) == (EXE, None, MSI)
    assert missing.not_made is not None
    assert "Windows Installer supports less than 2" in missing.not_made.reason
    assert "deploy the .exe" in missing.not_made.remedy
