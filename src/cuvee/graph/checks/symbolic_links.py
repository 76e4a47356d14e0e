"""The check of symbolic links."""

import posixpath
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from cuvee.conda.link_targets import OUTSIDE, by_key, link_end
from cuvee.graph.checks.check_interface import Check, opened
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.prefix_contents import PrefixContents, resolve_in_prefix
from cuvee.graph.release_graph import ReleaseGraph


class LinksCheck(Check):
    """Every symbolic link leads to an existing path of the prefix."""

    identifier = "links"
    family = "files"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        outside, empty, broken = (FindingCollector(self, release) for _ in range(3))
        for _, contents in opened(release):
            system = contents.platform.system
            links = by_key(_links(contents), system)
            folders: set[str] | None = None
            for claim in contents.claims():
                target = claim.file.link_target if claim.file is not None else None
                if target is None:
                    continue
                if not target:
                    cause = (
                        f"{claim.package.name} has symbolic links that lead to nothing: their target is empty"
                    )
                    empty.add(cause, victim=claim.package, evidence=claim.path, kind="empty-target")
                    continue
                evidence = f"{claim.path} -> {target}"
                end = link_end(claim.path, links, system)
                if end == OUTSIDE or resolve_in_prefix(posixpath.dirname(claim.path), target) is None:
                    cause = f"{claim.package.name} has symbolic links out of the prefix"
                    outside.add(cause, victim=claim.package, evidence=evidence, kind="out-of-prefix")
                    continue
                folders = _folders(contents) if folders is None else folders
                found = {}
                if end is None or (end not in contents.files and (end or ".") not in folders):
                    found["dangling"] = "dangling symbolic links"
                if contents.platform.is_windows:
                    found["link-on-windows"] = "symbolic links, which most Windows users may not create"
                for kind, what in found.items():
                    cause, verdict = f"{claim.package.name} has {what}", Verdict.WARNING
                    broken.add(cause, victim=claim.package, evidence=evidence, verdict=verdict, kind=kind)
        yield from outside.findings(
            "Do not ship it: what is written to the link ends up outside of the prefix."
        )
        yield from empty.findings("Leave the package out, or take another build: no system has such links.")
        yield from broken.findings("Ask for the package to be fixed; whatever uses the link fails.")


def _links(contents: PrefixContents) -> Iterator[tuple[str, str]]:
    """Yield path and target of each link of the prefix."""
    for claim in contents.claims():
        if claim.file is not None and claim.file.link_target is not None:
            yield claim.path, claim.file.link_target


def _folders(contents: PrefixContents) -> set[str]:
    """Return every folder of the prefix."""
    parents = {path.rpartition("/")[0] for path in contents.files}
    listed = {
        file.path
        for archive in contents.archives.values()
        for file in archive.files
        if file.file_type == "directory"
    }
    found = {"."}
    for path in parents | listed:
        folder = PurePosixPath(path)
        while (name := folder.as_posix()) not in found:  # else those above it are there, too
            found.add(name)
            folder = folder.parent
    return found
