"""Checks that no two files have the same path."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.rattler_records import link_order
from cuvee.graph.checks.check_interface import Check, opened
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.prefix_contents import PathClaim, PrefixContents
from cuvee.graph.release_graph import ReleaseGraph, unreadable_because
from cuvee.graph.truncation import shorten_lines, shorten_list
from cuvee.platforms import Platform


def collisions(contents: PrefixContents) -> dict[tuple[tuple[str, ...], bool], list[str]]:
    """Return all paths of a platform that several packages claim.

    They are grouped by the sorted names of the packages, and whether these would write the same content.
    """
    found: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for path, claims in contents.files.items():
        names = tuple(sorted({claim.package.name for claim in claims})) if len(claims) > 1 else ()
        if len(names) > 1:
            is_equal = len({claim.content for claim in claims}) == 1
            found.setdefault((names, is_equal), []).append(path)
    return found


@dataclass(slots=True)
class _Paths:
    """Conflicting paths, each with its winner, the package that is linked last, and its platforms."""

    found: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    packages: dict[str, None] = field(default_factory=dict)
    victims: dict[str, None] = field(default_factory=dict)

    def add(
        self, path: str, platform: str, packages: Iterable[LockedPackage], *, winner: str | None = None
    ) -> None:
        self.found.setdefault((path, winner or ""), []).append(platform)
        for package in packages:
            self.packages[package.name] = None
            self.victims[package.identifier] = None

    @property
    def text(self) -> str:
        return shorten_list(sorted({path for path, _ in self.found}), 1)

    def finding(
        self,
        check: Check,
        *,
        cause: str,
        action: str,
        verdict: Verdict = Verdict.BLOCKED,
        kind: str = "",
        evidence: Sequence[str] = (),
    ) -> Finding:
        paths = (
            f"{path} on {', '.join(names)}" + (f": that of {winner} wins" if winner else "")
            for (path, winner), names in sorted(self.found.items())
        )
        return Finding(
            check=check.identifier,
            verdict=verdict,
            cause=cause,
            kind=kind,
            packages=tuple(self.packages),
            victims=tuple(self.victims),
            platforms=tuple(dict.fromkeys(name for names in self.found.values() for name in names)),
            evidence=shorten_lines(evidence or paths),
            action=action,
        )


class FileClashesCheck(Check):
    """No two packages install the same path."""

    identifier = "file-clashes"
    family = "files"
    prerequisites = ("duplicates",)

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return paths that several packages install, or one twice, and files that are folders of others.

        The first is a warning, as in conda and rattler: the package that is linked last wins, and the other
        file is moved to ``__clobbers__``. The others cannot be linked at all.
        """
        shared: dict[tuple[tuple[str, ...], bool], _Paths] = {}
        impossible: dict[tuple[str, ...], _Paths] = {}
        for graph, contents in opened(release):
            found = collisions(contents)
            order = _link_order(graph.lock.packages) if found else {}
            for (names, is_equal), clashing in found.items():
                paths = shared.setdefault((names, is_equal), _Paths())
                packages = [graph.lock.by_name[name] for name in names]
                winner = None if is_equal else max(names, key=lambda name: order.get(name, -1))
                for path in sorted(clashing):
                    paths.add(path, graph.platform, packages, winner=winner)
            for path, names in (*_nested(contents), *_twice(contents)):
                packages = [graph.lock.by_name[name] for name in names]
                impossible.setdefault(names, _Paths()).add(path, graph.platform, packages)
        for (names, is_equal), paths in sorted(shared.items()):
            how = "with the same content" if is_equal else "with different content"
            yield paths.finding(
                self,
                verdict=Verdict.INFO if is_equal else Verdict.WARNING,
                kind="same-content" if is_equal else "different-content",
                cause=f"{' and '.join(names)} install {paths.text}, {how}",
                action="No action is needed, but removing one of them removes the file of the other."
                if is_equal
                else "Ask for one of them to no longer install the path. "
                "Until then the file of the package that is linked last wins, and the other is moved aside.",
            )
        for names, paths in sorted(impossible.items()):
            yield paths.finding(
                self,
                kind="file-and-folder" if len(names) > 1 else "twice",
                cause=f"{paths.text} is a file in {names[0]} and a folder in {names[1]}"
                if len(names) > 1
                else f"{names[0]} puts two files at {paths.text}",
                action="Leave one of the two packages out, or ask for one of them to be fixed.",
            )


def _link_order(packages: Iterable[LockedPackage]) -> dict[str, int]:
    """Return each package's index in the order of linking; packages that cannot be read have none."""
    names = link_order(package for package in packages if unreadable_because(package) is None)
    return {name: index for index, name in enumerate(names)}


def _nested(contents: PrefixContents) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield paths that are a file in one package and a folder in another, with the two packages' names."""
    seen: set[str] = set()
    files = {_folded(path, contents.platform): path for path in contents.files}
    for folded, path in files.items():
        end = folded.rfind("/")
        while end > 0 and folded[:end] not in seen:
            seen.add(folded[:end])
            file = files.get(folded[:end])
            if file is not None:
                yield file, (contents.files[file][0].package.name, contents.files[path][0].package.name)
            end = folded.rfind("/", 0, end)


def _twice(contents: PrefixContents) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield paths that one package claims for two files, with its name."""
    for path, claims in contents.files.items():
        if len(claims) > 1:
            names = [claim.package.name for claim in claims]
            yield from ((path, (name,)) for name in dict.fromkeys(names) if names.count(name) > 1)


class FileCaseCheck(Check):
    """No two paths are one file on Windows or macOS, whose file systems ignore case."""

    identifier = "file-case"
    family = "files"
    prerequisites = ("duplicates",)

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        groups: dict[tuple[str, ...], _Paths] = {}
        lines: dict[tuple[str, ...], list[str]] = {}
        for graph, contents in opened(release):
            if contents.platform.system == "linux":
                continue
            for claims in _of_several_names(contents):
                names = tuple(sorted({claim.path for claim in claims}))
                packages = [claim.package for claim in claims]
                groups.setdefault(names, _Paths()).add(" and ".join(names), graph.platform, packages)
                lines.setdefault(names, []).extend(f"{c.package.name} has {c.path!a}" for c in claims)
        for names, paths in sorted(groups.items()):
            yield paths.finding(
                self,
                cause=f"{' and '.join(names)} are one file there",
                evidence=lines[names],
                action="Ask for one of them to be renamed, or leave one of the packages out there.",
            )


def _of_several_names(contents: PrefixContents) -> Iterator[list[PathClaim]]:
    """Yield the claims to each file that has several names."""
    groups: dict[str, list[PathClaim]] = {}
    for path, claims in contents.files.items():
        groups.setdefault(_folded(path, contents.platform), []).extend(claims)
    for group in groups.values():
        if len(group) > 1 and len({claim.path for claim in group}) > 1:
            yield group


def _folded(path: str, platform: Platform) -> str:
    """Return a key that is equal for two paths if and only if they are one file on a platform.

    APFS compares names without case and normalization:
    https://developer.apple.com/library/archive/documentation/FileManagement/Conceptual/APFS_Guide/FAQ/FAQ.html.
    """
    if platform.system == "linux":
        return path
    if platform.system == "osx" and not path.isascii():
        path = unicodedata.normalize("NFD", path)
    return path.casefold()
