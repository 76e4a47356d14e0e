"""The starter's own releases, cut once for all tests that install them."""

import os
import shutil
import sys
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

_MANIFESTS = Path(__file__).parents[1] / "manifests" / "starter"
# 2026.11.1 is a patch of 2026.11.0, which says what it changes.
VERSIONS = ("2026.11.0", "2026.11.1")
_SKIPPED = (ToolMissingError.exit_code, SourceUnreachableError.exit_code)
# Large, and nothing that tests of installers look at.
_LEFT_OUT = ("channel", "images")


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Return the starter's releases, each cut for one platform when a test first asks for it.

    Attributes
    ----------
    root
        A folder that all workers of the test session share.
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
        self.root.mkdir(exist_ok=True)
        with RUN.alone(f"starter-{platform}"):
            for wanted in VERSIONS[: VERSIONS.index(version) + 1]:
                self._cut(platform, wanted)
        return self.root / platform / f"starter-{version}"

    def installer(self, platform: str, suffix: str, version: str = VERSIONS[0]) -> Path:
        """Return an installer by its kind: ``sh``, ``exe``, ``msi``; skip the test if it is missing."""
        folder = self.folder(platform, version) / "installers"
        found = sorted(folder.glob(f"*-{get(platform).label}.{suffix}"))
        if not found:
            pytest.skip(
                f"needs an .{suffix} of the starter for {platform}; release.json says what stood against it"
            )
        return found[0]

    def _cut(self, platform: str, version: str) -> None:
        """Cut a release, with the user's own cache of downloads and conversions."""
        done = self.root / f"{platform}-{version}"
        if not done.exists():
            argv = (sys.executable, "-m", "cuvee", "release", str(_MANIFESTS / f"{version}.yaml"))
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
            pytest.skip(f"needs starter {version}, which can not be cut for {platform} here: {said}")
        assert int(code) == 0, said


def _lacks_only_tests(folder: Path) -> bool:
    """Whether a release waits for nothing but tests on a platform that is not this machine's."""
    release = Release.open(folder)
    return not blocking(release.runs) and {
        finding.check for finding in release.findings if finding.verdict.exit_code
    } == {"tested"}


def starter_releases() -> Starter:
    """Make the one of this run of the tests."""
    named = os.environ.get("CUVEE_STARTER_DIST")
    return Starter(root=RUN.path / "starter", dist=Path(named).resolve() if named else None)
