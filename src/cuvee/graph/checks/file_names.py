"""Can each system hold the names and links that packages bring?"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from cuvee.graph.checks.check_protocol import ADVICE, STRICT
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.checks.opened import opened
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.paths import inside
from cuvee.graph.prefix_contents import PathClaim, PrefixContents
from cuvee.graph.release_graph import ReleaseGraph

WINDOWS_PATH = 259
"""Characters that a path may have on Windows unless an administrator allows more (MAX_PATH less its end)."""

TYPICAL_PREFIX = len(
    r"C:\Users\twenty.letters.long1\AppData\Local\A distribution" + r".cuvee-0123456789.partial"
)
r"""Characters that we assume before a path: where the installer goes by default, for the longest name that
an account may have (20), and beside which it unpacks. Those who install elsewhere may have less."""

_ROOM = WINDOWS_PATH - TYPICAL_PREFIX - 1

LONGEST_NAME = 255
"""What a single name may have on every file system that people install to (bytes, or units of UTF-16)."""

# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[1-9¹²³])\s*(\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\\\x00-\x1f]')

_MOST_LINKS = 40
"""Links that a system follows on one way before it gives up."""

LINK_SCRIPT = re.compile(r"^(bin|Scripts)/\.[^/]+-(pre-link|post-link|pre-unlink)\.(sh|bat)$")
"""Where conda looks for scripts that it runs when it links or unlinks a package."""


class FileNamesCheck:
    """Names that a file system or Windows does not take."""

    identifier = "file-names"
    family = "files"
    title = "Every file has a name that its platform can hold."
    prerequisites: tuple[str, ...] = ()
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find names that Windows forbids, and names that are too long everywhere."""
        causes = FindingCollector(self, release)
        for _, contents in opened(release):
            for claim in _claims(contents):
                for why in _refused(claim.path, is_windows=contents.platform.is_windows):
                    causes.add(
                        f"{claim.package.name} has names that {why}",
                        victim=claim.package,
                        evidence=claim.path,
                    )
        yield from causes.findings("Have the file renamed, or leave the package out there.")


def _refused(path: str, *, is_windows: bool) -> Iterator[str]:
    for name in path.split("/"):
        if len(name) > LONGEST_NAME // 4 and len(name.encode()) > LONGEST_NAME:
            yield f"are longer than {LONGEST_NAME} bytes"
        if is_windows and (_RESERVED.fullmatch(name) or _FORBIDDEN.search(name) or name.endswith((".", " "))):
            yield "Windows forbids"


class PathLengthsCheck:
    """Paths that leave no room for a prefix on Windows."""

    identifier = "path-lengths"
    family = "files"
    title = "On Windows every path leaves room for a typical prefix."
    prerequisites: tuple[str, ...] = ()
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find paths, byte code included, that are too long below a prefix of `TYPICAL_PREFIX` characters."""
        causes = FindingCollector(self, release)
        lengths = [
            (_length(claim.path), claim)
            for _, contents in opened(release)
            for claim in _claims(contents)
            if contents.platform.is_windows and _length(claim.path) > _ROOM
        ]
        for length, claim in sorted(lengths, key=lambda item: (-item[0], item[1].path)):
            causes.add(
                f"Paths of {claim.package.name} are longer than {_ROOM} characters; "
                f"with a prefix of {TYPICAL_PREFIX} Windows does not open them",
                victim=claim.package,
                evidence=f"{length}: {claim.path}",
            )
        yield from causes.findings(
            "Install into a shorter folder, have Windows allow long paths, or leave the package out."
        )


def _length(path: str) -> int:
    """Give how long a path is, with that of its byte code if it is a module's source."""
    is_module = path.endswith(".py") and not path.startswith(("Scripts/", "bin/"))
    return len(path) + (len("__pycache__/") + len(".cpython-311c") - 1 if is_module else 0)


class LinksCheck:
    """Symbolic links that lead nowhere, or out of the prefix."""

    identifier = "links"
    family = "files"
    title = "Every symbolic link stays in the prefix, and leads to something that is there."
    prerequisites: tuple[str, ...] = ()
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find links out of the prefix, links to nothing, and links on Windows."""
        outside, broken = FindingCollector(self, release), FindingCollector(self, release)
        for _, contents in opened(release):
            folders: set[str] | None = None
            for claim in _claims(contents):
                target = claim.file.link_target if claim.file is not None else None
                if target is None:
                    continue
                evidence = f"{claim.path} -> {target}"
                if inside(posixpath.dirname(claim.path), target) is None:
                    cause = f"{claim.package.name} links out of the prefix"
                    outside.add(cause, victim=claim.package, evidence=evidence, kind="out-of-prefix")
                    continue
                folders = _folders(contents) if folders is None else folders
                if not _leads_somewhere(claim.path, target, contents, folders):
                    cause = f"{claim.package.name} has links to what no package brings"
                    broken.add(
                        cause,
                        victim=claim.package,
                        evidence=evidence,
                        verdict=Verdict.WARNING,
                        kind="dangling",
                    )
                if contents.platform.is_windows:
                    cause = f"{claim.package.name} has symbolic links, which Windows makes for few"
                    broken.add(
                        cause,
                        victim=claim.package,
                        evidence=evidence,
                        verdict=Verdict.WARNING,
                        kind="link-on-windows",
                    )
        yield from outside.findings("Do not ship it: what is written to the link lands elsewhere.")
        yield from broken.findings("Have the package mended; whatever uses the link will fail.")


class LinkScriptsCheck:
    """Scripts that would run on desktops."""

    identifier = "link-scripts"
    family = "files"
    title = "No package runs a script of its own when it is installed, unless the manifest allows it."
    prerequisites: tuple[str, ...] = ()
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Name every link script, and whether ``policy.link-scripts`` lets it run."""
        allowed, refused = FindingCollector(self, release), FindingCollector(self, release)
        for _, contents in opened(release):
            for claim in _claims(contents):
                if not LINK_SCRIPT.match(claim.path):
                    continue
                if claim.package.name in release.manifest.policy.link_scripts:
                    cause = f"{claim.package.name} brings a script that may run when it is installed"
                    allowed.add(cause, victim=claim.package, evidence=claim.path, verdict=Verdict.INFO)
                else:
                    cause = f"{claim.package.name} brings a script that will not run when it is installed"
                    refused.add(cause, victim=claim.package, evidence=claim.path, verdict=Verdict.WARNING)
        yield from allowed.findings("Nothing; the manifest allows it.")
        yield from refused.findings(
            "Read it. If the package needs what it does, name the package in `policy.link-scripts`.",
        )


def _claims(contents: PrefixContents) -> Iterator[PathClaim]:
    for claims in contents.files.values():
        yield from claims


def _leads_somewhere(link: str, target: str, contents: PrefixContents, folders: set[str]) -> bool:
    """Whether there is something at a link's end; folders on the way may be links themselves."""
    where = inside(posixpath.dirname(link), target)
    for _ in range(_MOST_LINKS):
        if where is None or where in contents.files or where in folders:
            return where is not None
        end = where.rfind("/")
        while end > 0 and where[:end] not in contents.files:
            end = where.rfind("/", 0, end)
        file = contents.files[where[:end]][-1].file if end > 0 else None
        if file is None or file.link_target is None:
            return False
        where = inside(posixpath.dirname(where[:end]), f"{file.link_target}/{where[end + 1 :]}")
    return False


def _folders(contents: PrefixContents) -> set[str]:
    """Give every folder that there will be."""
    parents = {path.rpartition("/")[0] for path in contents.files}
    listed = {
        file.path
        for facts in contents.facts.values()
        for file in facts.files
        if file.file_type == "directory"
    }
    return {
        folder.as_posix()
        for path in parents | listed
        for folder in (PurePosixPath(path), *PurePosixPath(path).parents)
    }
