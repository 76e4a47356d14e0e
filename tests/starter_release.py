"""The starter's own releases, and those of a part of it, cut once for all tests that install them."""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cuvee import process
from cuvee.errors import SourceUnreachableError, ToolMissingError
from cuvee.integration.outcomes import blocking
from cuvee.platforms import get
from cuvee.process import Request
from cuvee.release.record import Release
from needed_programs import HANGING
from run_folder import RUN

_ROOT = Path(__file__).parents[1]
# 2026.11.1 is a patch of 2026.11.0, which says what it changes.
VERSIONS = ("2026.11.0", "2026.11.1")
_SKIPPED = (ToolMissingError.exit_code, SourceUnreachableError.exit_code)
# Large, and nothing that tests of installers look at.
_LEFT_OUT = ("channel", "images")
_SUITES = "suites: [smoke, interop, user, upstream, lifecycle]\n"
_PART = """\
manifest: 1
distribution: starter
version: "2026.11.0"
title: Starter PyData
platforms:
  linux-64: {floor: {glibc: "2.36"}}
  linux-aarch64: {floor: {glibc: "2.36"}}
  win-64: {floor: {win: "10"}}
interpreter: host
exclude-newer: 2026-11-20T00:00:00Z
owners:
  core: {contact: starter-core@example.org}
packages:
  python: {version: ">=3.11,<3.14", owner: core}
  numpy: {version: ">=2.4,<2.5", owner: core}
  pandas: {version: ">=3.1,<3.2", owner: core}
  sqlalchemy: {version: ">=2.1,<2.2", owner: core}
  lxml: {version: "==6.1.2", owner: core}
  pyyaml: {version: ">=6.0.3,<7", owner: core}
  zstandard: {version: ">=0.25,<0.26", owner: core}
  attrs: {version: ">=26.1,<27", owner: core}
  tqdm: {version: ">=4.70,<5", owner: core}
  pytest: {version: ">=9.2,<10", owner: core}
  starter-tools: {version: ">=2026.11", owner: core}
wheels: [attrs, lxml, numpy, pandas, pip, pytest, pyyaml, setuptools, sqlalchemy, tqdm, wheel, zstandard]
recipes: [starter-tools]
installers: {formats: {linux: [sh], win: [exe, msi]}, branding: installers/starter}
"""
_PATCH = """\
manifest: 1
distribution: starter
version: "2026.11.1"
based-on: "2026.11.0"
packages:
  lxml: "==6.1.3"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Return the starter's releases, each cut for one platform when a test first asks for it.

    Attributes
    ----------
    root
        A folder that all workers of the test session share, with the manifests.
    dist
        Where the releases are already, if somebody has cut them: CUVEE_STARTER_DIST.
    """

    root: Path
    dist: Path | None

    def folder(self, platform: str, version: str = VERSIONS[0]) -> Path:
        """Return the release folder, to be read only, without its channel and images."""
        if self.dist is not None:
            folder = self.dist / f"starter-{version}"
            if not (folder / "release.json").is_file():
                pytest.fail(f"CUVEE_STARTER_DIST names {self.dist}, where there is no starter-{version}")
            return folder
        with RUN.alone(f"{self.root.name}-{platform}"):
            for wanted in VERSIONS[: VERSIONS.index(version) + 1]:
                self._make("release", platform, wanted)
        return self.root / platform / f"starter-{version}"

    def locked(self, platform: str) -> Path:
        """Return a folder with all releases, of which the last may have nothing but its lock."""
        folder = self.folder(platform)
        if self.dist is None:
            with RUN.alone(f"{self.root.name}-{platform}"):
                self._make("lock", platform, VERSIONS[1])
        return folder.parent

    def installer(self, platform: str, suffix: str, version: str = VERSIONS[0]) -> Path:
        """Return an installer by its kind: ``sh``, ``exe``, ``msi``; skip the test if it is missing."""
        folder = self.folder(platform, version) / "installers"
        found = sorted(folder.glob(f"*-{get(platform).label}.{suffix}"))
        if not found:
            pytest.skip(
                f"needs an .{suffix} of the starter for {platform}; release.json says what stood against it"
            )
        return found[0]

    def _make(self, command: str, platform: str, version: str) -> None:
        """Cut or lock a release, with the user's own cache of downloads and conversions."""
        done = self.root / f"{command}-{platform}-{version}"
        if not done.exists():
            manifest = self.root / "manifests" / "starter" / f"{version}.yaml"
            argv = (sys.executable, "-m", "cuvee", command, str(manifest))
            options = ("--quiet", "--platform", platform, "--dist", str(self.root / platform))
            completed = process.run(Request(argv=(*argv, *options), timeout=HANGING))
            ended = completed.exit_code
            if ended == 1 and _lacks_only_tests(self.root / platform / f"starter-{version}"):
                ended = 0
            for name in _LEFT_OUT:
                shutil.rmtree(self.root / platform / f"starter-{version}" / name, ignore_errors=True)
            said = f"{ended}\n{completed.stderr.strip()[-2000:]}"
            done.write_text(said, encoding="utf-8")
        code, _, said = done.read_text(encoding="utf-8").partition("\n")
        if int(code) in _SKIPPED:
            pytest.skip(f"needs starter {version}, which can not be made for {platform} here: {said}")
        assert int(code) == 0, said


def _lacks_only_tests(folder: Path) -> bool:
    """Whether a release waits for nothing but tests on a platform that is not this machine's."""
    release = Release.open(folder)
    return not blocking(release.runs) and {
        finding.check for finding in release.findings if finding.verdict.exit_code
    } == {"tested"}


def starter_releases() -> Starter:
    """Make the whole one of this run of the tests, without its suites, which would run where it is cut."""

    def write(root: Path) -> None:
        _copy_sources(root)
        for version in VERSIONS:
            text = (_ROOT / "manifests" / "starter" / f"{version}.yaml").read_text(encoding="utf-8")
            assert _SUITES in text or version != VERSIONS[0]
            path = root / "manifests" / "starter" / f"{version}.yaml"
            path.write_text(text.replace(_SUITES, ""), encoding="utf-8")

    return _releases("starter", write)


def part_releases() -> Starter:
    """Make those of a part of it, for what takes long with 40,000 files and proves as much with fewer."""

    def write(root: Path) -> None:
        _copy_sources(root)
        for version, text in zip(VERSIONS, (_PART, _PATCH), strict=True):
            (root / "manifests" / "starter" / f"{version}.yaml").write_text(text, encoding="utf-8")

    return _releases("starter-part", write)


def _copy_sources(root: Path) -> None:
    """Copy what manifests of the starter name."""
    for name in ("installers", "manifests", "recipes"):
        shutil.copytree(_ROOT / name, root / name, dirs_exist_ok=True)


def _releases(name: str, write: Callable[[Path], None]) -> Starter:
    named = os.environ.get("CUVEE_STARTER_DIST")
    return Starter(root=RUN.made_once(name, write), dist=Path(named).resolve() if named else None)
