"""Is the release the same on every platform, and if not, why?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cuvee.conda.match_spec import read_spec
from cuvee.graph.checks.check_protocol import ADVICE, STRICTER_WITH_SUPPORT
from cuvee.graph.diff.version_order import order, parse
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph, meets, unreadable_because


class ParityCheck:
    """What is missing or differs on a platform."""

    identifier = "parity"
    family = "parity"
    title = "Every package is on every platform, in one version."
    prerequisites = ("duplicates",)
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find packages that are on some platforms only, and versions that differ."""
        yield from self._presence(release)
        yield from self._versions(release)

    def _presence(self, release: ReleaseGraph) -> Iterator[Finding]:
        everywhere = [graph.platform for graph in release.platforms]
        patterns: dict[tuple[str, ...], list[str]] = {}
        for name in sorted({name for graph in release.platforms for name in graph.lock.by_name}):
            where = tuple(graph.platform for graph in release.platforms if name in graph.lock.by_name)
            if len(where) < len(everywhere):
                patterns.setdefault(where, []).append(name)
        declared = {package.name: package for package in (*release.manifest.packages, *release.additions)}
        for where, names in patterns.items():
            yield Finding(
                check=self.identifier,
                verdict=Verdict.INFO,
                cause=f"{_count(names)} only on {', '.join(where)}",
                packages=tuple(names),
                platforms=where,
                owners=release.owners_of(names),
                evidence=tuple(
                    f"{name}: the manifest asks for it there only ({declared[name].position})"
                    if name in declared
                    else f"{name}: {_reason(name, where, release)}"
                    for name in names
                ),
                action="Nothing, if the reasons are right.",
            )

    def _versions(self, release: ReleaseGraph) -> Iterator[Finding]:
        versions: dict[str, dict[str, list[str]]] = {}
        for graph in release.platforms:
            for package in graph.lock.packages:
                versions.setdefault(package.name, {}).setdefault(package.version, []).append(graph.platform)
        differing = {name: found for name, found in sorted(versions.items()) if len(found) > 1}
        bounds = {graph.platform: _bounds(graph) for graph in release.platforms if differing}
        for name, found in differing.items():
            minors = {tuple(version.split(".")[:2]) for version in found}
            yield Finding(
                check=self.identifier,
                verdict=Verdict.INFO if len(minors) == 1 else Verdict.BLOCKED,
                cause=f"{name} differs: "
                + ", ".join(f"{version} on {' and '.join(where)}" for version, where in found.items()),
                packages=(name,),
                platforms=tuple(where for group in found.values() for where in group),
                owners=release.owners_of([name]),
                evidence=tuple(_held_back(name, release, bounds)),
                action="Pin it, if one version is to be had on every platform.",
            )


class AbsentPlatformsCheck:
    """Which platforms the release lacks."""

    identifier = "absent-platform"
    family = "parity"
    title = "Every platform of the manifest is in the release."
    prerequisites: tuple[str, ...] = ()
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Name platforms that the manifest leaves out, and those that could not be made here."""
        for entry in release.manifest.platforms:
            if entry.absent is not None:
                yield Finding(
                    check=self.identifier,
                    verdict=Verdict.INFO,
                    cause=f"{entry.name} is left out on purpose: {entry.absent}",
                    platforms=(entry.name,),
                )
        for absent in release.absent:
            how = "is not in it" if absent.by_choice else "could not be made here"
            yield Finding(
                check=self.identifier,
                verdict=Verdict.INFO if absent.by_choice else Verdict.BLOCKED,
                cause=f"{absent.platform} {how}: {absent.reason}",
                platforms=(absent.platform,),
                action=absent.hint or "Cut the release on a host that can make it, or declare it absent.",
            )


def _count(names: list[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{len(names)} packages are"


def _reason(name: str, where: Iterable[str], release: ReleaseGraph) -> str:
    graphs: list[PlatformGraph] = [graph for graph in release.platforms if graph.platform in where]
    askers = sorted({asker for graph in graphs for asker in graph.required_by(name)})
    return f"needed there by {', '.join(askers)}" if askers else "nothing needs it"


_Bounds = Mapping[str, Sequence[tuple[str, str]]]
"""Who asks what of a package, by its name: pairs of ``asker needs`` and the spec."""


def _bounds(graph: PlatformGraph) -> _Bounds:
    found: dict[str, list[tuple[str, str]]] = {}
    for asker in graph.lock.packages:
        for word, texts in (("needs", asker.depends), ("constrains", asker.constrains)):
            for text in texts:
                found.setdefault(read_spec(text).name, []).append((f"{asker.name} {word}", text))
    return found


def _held_back(name: str, release: ReleaseGraph, bounds: Mapping[str, _Bounds]) -> Iterator[str]:
    """Say for each platform with an older version what keeps it from the newest, by the bounds in its set."""
    locked = {
        graph.platform: graph.lock.by_name[name] for graph in release.platforms if name in graph.lock.by_name
    }
    if any(unreadable_because(package) for package in locked.values()):
        return
    newest = max(locked.values(), key=lambda package: parse(package.version))
    for platform, package in locked.items():
        if order(package.version, newest.version):
            forbid = [
                f"{who} {text}"
                for who, text in bounds[platform].get(name, ())
                if not meets(text, newest) and meets(text, package)
            ]
            why = "; ".join(forbid) or f"nothing there forbids {newest.version}, so no channel may have it"
            yield f"{platform} has {package.version}: {why}"
