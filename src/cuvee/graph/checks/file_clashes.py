"""Checks that no two files have the same path."""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks.check_protocol import STRICT, opened
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.prefix_contents import PathClaim, PrefixContents
from cuvee.graph.release_graph import ReleaseGraph, unreadable_because
from cuvee.graph.truncation import shorten_lines, shorten_list
from cuvee.lock.link_order import link_order
from cuvee.platforms import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Collision:
    """Packages that claim the same paths of one platform's prefix.

    Attributes
    ----------
    packages
        Their names, sorted.
    is_equal
        Whether they would write the same content.
    paths
        Sorted.
    """

    platform: str
    packages: tuple[str, ...]
    is_equal: bool
    paths: tuple[str, ...]


def collisions(contents: PrefixContents) -> tuple[Collision, ...]:
    """Return all paths of a platform that several packages claim, grouped by the packages."""
    found: dict[tuple[tuple[str, ...], bool], list[str]] = {}
    for path, claims in contents.files.items():
        names = tuple(sorted({claim.package.name for claim in claims})) if len(claims) > 1 else ()
        if len(names) > 1:
            is_equal = len({claim.content for claim in claims}) == 1
            found.setdefault((names, is_equal), []).append(path)
    return tuple(
        Collision(
            platform=contents.platform.name, packages=names, is_equal=is_equal, paths=tuple(sorted(paths))
        )
        for (names, is_equal), paths in sorted(found.items())
    )


@dataclass(slots=True)
class _Paths:
    """Conflicting paths, each with its winner, the package that is linked last, and its platforms."""

    found: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    victims: dict[str, None] = field(default_factory=dict)

    def add(self, path: str, platform: str, *, winner: str = "") -> None:
        self.found.setdefault((path, winner), []).append(platform)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(sorted({path for path, _ in self.found}))

    @property
    def platforms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for names in self.found.values() for name in names))

    @property
    def evidence(self) -> tuple[str, ...]:
        return shorten_lines(
            f"{path} on {', '.join(names)}" + (f": that of {winner} wins" if winner else "")
            for (path, winner), names in sorted(self.found.items())
        )


class FileClashesCheck:
    """No path is claimed twice."""

    identifier = "file-clashes"
    family = "files"
    title = "No two packages install the same path."
    prerequisites = ("duplicates",)
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return paths that several packages install, or one twice, and files that are folders of others.

        The first is a warning, as in conda and rattler: the package that is linked last wins, and the other
        file is moved to ``__clobbers__``. The others cannot be linked at all.
        """
        groups: dict[tuple[tuple[str, ...], bool], _Paths] = {}
        nested: dict[tuple[str, ...], _Paths] = {}
        for graph, contents in opened(release):
            clashes = collisions(contents)
            order = _link_order(graph.lock.packages) if clashes else {}
            for collision in clashes:
                where = groups.setdefault((collision.packages, collision.is_equal), _Paths())
                where.victims |= {graph.lock.by_name[name].identifier: None for name in collision.packages}
                winner = max(collision.packages, key=lambda name: order.get(name, -1))
                for path in collision.paths:
                    where.add(path, graph.platform, winner="" if collision.is_equal else winner)
            for path, names in (*_nested(contents), *_twice(contents)):
                where = nested.setdefault(names, _Paths())
                where.victims |= {graph.lock.by_name[name].identifier: None for name in names}
                where.add(path, graph.platform)
        for (names, is_equal), where in sorted(groups.items()):
            yield self._clash(release, names, where, is_equal=is_equal)
        for names, where in sorted(nested.items()):
            yield self._finding(
                release,
                names,
                where,
                verdict=Verdict.BLOCKED,
                kind="file-and-folder" if len(names) > 1 else "twice",
                cause=f"{shorten_list(where.paths, 1)} is a file in {names[0]} and a folder in {names[1]}"
                if len(names) > 1
                else f"{names[0]} puts two files at {shorten_list(where.paths, 1)}",
                action="Leave one of the two packages out, or ask for one of them to be fixed.",
            )

    def _clash(
        self, release: ReleaseGraph, names: tuple[str, ...], where: _Paths, *, is_equal: bool
    ) -> Finding:
        how = "with the same content" if is_equal else "with different content"
        return self._finding(
            release,
            names,
            where,
            verdict=Verdict.INFO if is_equal else Verdict.WARNING,
            kind="same-content" if is_equal else "different-content",
            cause=f"{' and '.join(names)} install {shorten_list(where.paths, 1)}, {how}",
            action="No action is needed, but removing one of them removes the file of the other."
            if is_equal
            else "Ask for one of them to no longer install the path. "
            "Until then the file of the package that is linked last wins, and the other is moved aside.",
        )

    def _finding(
        self,
        release: ReleaseGraph,
        names: tuple[str, ...],
        where: _Paths,
        *,
        verdict: Verdict,
        kind: str,
        cause: str,
        action: str,
    ) -> Finding:
        return Finding(
            check=self.identifier,
            verdict=verdict,
            cause=cause,
            kind=kind,
            packages=names,
            victims=tuple(where.victims),
            platforms=where.platforms,
            owners=release.owners_of(names),
            evidence=where.evidence,
            action=action,
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


class FileCaseCheck:
    """No two paths are one file where case is ignored."""

    identifier = "file-case"
    family = "files"
    title = "No two paths are one file on Windows or macOS, whose file systems ignore case."
    prerequisites = ("duplicates",)
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return paths that differ only in case, or on macOS only in Unicode normalization."""
        groups: dict[tuple[str, ...], _Paths] = {}
        packages: dict[tuple[str, ...], dict[str, None]] = {}
        lines: dict[tuple[str, ...], list[str]] = {}
        for graph, contents in opened(release):
            if contents.platform.system == "linux":
                continue
            for claims in _of_several_names(contents):
                paths = tuple(sorted({claim.path for claim in claims}))
                where = groups.setdefault(paths, _Paths())
                where.victims |= {claim.package.identifier: None for claim in claims}
                where.add(" and ".join(paths), graph.platform)
                packages.setdefault(paths, {}).update({claim.package.name: None for claim in claims})
                lines.setdefault(paths, []).extend(f"{c.package.name} has {c.path!a}" for c in claims)
        for paths, where in sorted(groups.items()):
            names = tuple(packages[paths])
            yield Finding(
                check=self.identifier,
                verdict=Verdict.BLOCKED,
                cause=f"{' and '.join(paths)} are one file there",
                packages=names,
                victims=tuple(where.victims),
                platforms=where.platforms,
                owners=release.owners_of(names),
                evidence=shorten_lines(lines[paths]),
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
