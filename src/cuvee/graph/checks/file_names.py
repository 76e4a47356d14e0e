"""Checks of file names: names and paths that a system does not allow, and names of link scripts."""

import re
from collections.abc import Iterable, Iterator

from cuvee.conda.package_info import is_link_script
from cuvee.graph.checks.check_interface import ADVICE, Check, opened
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding
from cuvee.graph.release_graph import ReleaseGraph

WINDOWS_PATH = 259
"""Characters that a path may have on Windows unless long paths are enabled: MAX_PATH less its final NUL,
https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation."""

TYPICAL_PREFIX = len(
    r"C:\Users\twenty.letters.long1\AppData\Local\A distribution" + r".cuvee-0123456789.partial"
)
r"""Characters that are assumed before a path: the installer's default folder for an account with the longest
allowed name (20), and the suffix of the folder beside it into which it unpacks."""

_MOST_CHARACTERS = WINDOWS_PATH - TYPICAL_PREFIX - 1

LONGEST_NAME = 255
"""Bytes, or units of UTF-16, of the longest name that common file systems allow (NAME_MAX)."""

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[1-9¹²³])\s*(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]')


class FileNamesCheck(Check):
    """Every file has a name that its platform allows."""

    identifier = "file-names"
    family = "files"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for _, contents in opened(release):
            for claim in contents.claims():
                for why in _refused(claim.path, is_windows=contents.platform.is_windows):
                    cause = f"{claim.package.name} has names that {why}"
                    causes.add(cause, victim=claim.package, evidence=claim.path)
        yield from causes.findings(
            "Ask for the file to be renamed, or leave the package out on that platform."
        )


def _refused(path: str, *, is_windows: bool) -> Iterator[str]:
    for name in path.split("/"):
        if len(name) > LONGEST_NAME // 4 and len(name.encode()) > LONGEST_NAME:
            yield f"are longer than {LONGEST_NAME} bytes"
        if is_windows and (_RESERVED.fullmatch(name) or _FORBIDDEN.search(name) or name.endswith((".", " "))):
            yield "Windows forbids"


class PathLengthsCheck(Check):
    """On Windows every path leaves room for a typical prefix."""

    identifier = "path-lengths"
    family = "files"
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        lengths = [
            (_length(claim.path), claim)
            for _, contents in opened(release)
            for claim in contents.claims()
            if contents.platform.is_windows and _length(claim.path) > _MOST_CHARACTERS
        ]
        for length, claim in sorted(lengths, key=lambda item: (-item[0], item[1].path)):
            causes.add(
                f"Paths of {claim.package.name} are longer than {_MOST_CHARACTERS} characters; "
                f"below a prefix of {TYPICAL_PREFIX} Windows cannot open them",
                victim=claim.package,
                evidence=f"{length}: {claim.path}",
            )
        yield from causes.findings(
            "Install into a shorter folder, enable long paths in Windows, or leave the package out."
        )


def _length(path: str) -> int:
    """Return the length of a path; of a module's source that of its byte code."""
    is_module = path.endswith(".py") and not path.startswith(("Scripts/", "bin/"))
    return len(path) + (len("__pycache__/") + len(".cpython-311c") - 1 if is_module else 0)


class LinkScriptsCheck(Check):
    """No package has a script that conda would run when it installs or removes the package."""

    identifier = "link-scripts"
    family = "files"
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        # cuvee's installers never run them, see docs/adr/0060-link-scripts-never-run.md; conda does.
        is_run = release.manifest.installers.engine == "constructor"
        what = "that constructor's installers run" if is_run else "that cuvee's installers never run"
        for _, contents in opened(release):
            for claim in contents.claims():
                if is_link_script(claim.path):
                    cause = f"{claim.package.name} has a link script {what}"
                    causes.add(cause, victim=claim.package, evidence=claim.path)
        without = (
            "If the package works without it, record a waiver with the reason. If not, do its work in "
            "`post_install` of `installer.yaml`, or take another package."
        )
        allowed = "If it may run on desktops, record a waiver with the reason."
        yield from causes.findings(f"Read the script. {allowed if is_run else without}")
