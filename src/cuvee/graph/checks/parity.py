"""Checks of the differences between platforms, and of absent platforms."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from cuvee.conda.match_spec import read_spec
from cuvee.graph.checks.check_interface import ADVICE, STRICTER_WITH_SUPPORT, Check
from cuvee.graph.diff.version_order import order, parse
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph, meets, unreadable_because


class ParityCheck(Check):
    """Every package is on every platform, in one version."""

    identifier = "parity"
    family = "parity"
    prerequisites = ("duplicates",)
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        yield from self._presence(release)
        yield from self._versions(release)

    def _presence(self, release: ReleaseGraph) -> Iterator[Finding]:
        everywhere = [graph.platform for graph in release.platforms]
        patterns: dict[tuple[str, ...], list[str]] = {}
        for name in sorted({name for graph in release.platforms for name in graph.lock.by_name}):
            where = tuple(graph.platform for graph in release.platforms if name in graph.lock.by_name)
            if len(where) < len(everywhere):
                patterns.setdefault(where, []).append(name)
        requested = {package.name: package for package in (*release.manifest.packages, *release.additions)}
        for where, names in patterns.items():
            yield Finding(
                check=self.identifier,
                verdict=Verdict.INFO,
                cause=f"{_count(names)} only on {', '.join(where)}",
                packages=tuple(names),
                platforms=where,
                evidence=tuple(
                    f"{name}: the manifest requests it only there ({requested[name].position})"
                    if name in requested
                    else f"{name}: {_reason(name, where, release)}"
                    for name in names
                ),
                action="No action is needed if the reasons are right.",
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
                evidence=tuple(_held_back(name, release, bounds)),
                action="Pin it, if one version exists on every platform.",
            )


class AbsentPlatformsCheck(Check):
    """Every platform of the manifest is in the release."""

    identifier = "absent-platform"
    family = "parity"
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        for entry in release.manifest.platforms:
            if entry.absent is not None:
                yield Finding(
                    check=self.identifier,
                    verdict=Verdict.INFO,
                    cause=f"{entry.name} is left out on purpose: {entry.absent}",
                    platforms=(entry.name,),
                )
        for absent in release.absent:
            how = "is not in this run" if absent.by_choice else "could not be built here"
            yield Finding(
                check=self.identifier,
                verdict=Verdict.INFO if absent.by_choice else Verdict.BLOCKED,
                cause=f"{absent.platform} {how}: {absent.reason}",
                platforms=(absent.platform,),
                action=absent.hint or "Cut the release on a host that can build it, or declare it absent.",
            )


def _count(names: list[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{len(names)} packages are"


def _reason(name: str, where: Iterable[str], release: ReleaseGraph) -> str:
    graphs: list[PlatformGraph] = [graph for graph in release.platforms if graph.platform in where]
    parents = sorted({parent for graph in graphs for parent in graph.required_by(name)})
    return f"required there by {', '.join(parents)}" if parents else "nothing requires it"


_Bounds = Mapping[str, Sequence[tuple[str, str]]]
"""The bounds on each package: pairs of ``parent depends on`` or ``parent constrains`` and the match spec."""


def _bounds(graph: PlatformGraph) -> _Bounds:
    found: dict[str, list[tuple[str, str]]] = {}
    for parent in graph.lock.packages:
        for verb, texts in (("depends on", parent.depends), ("constrains", parent.constrains)):
            for text in texts:
                found.setdefault(read_spec(text).name, []).append((f"{parent.name} {verb}", text))
    return found


def _held_back(name: str, release: ReleaseGraph, bounds: Mapping[str, _Bounds]) -> Iterator[str]:
    """Yield for each platform with an older version the bounds that exclude the newest one."""
    locked = {
        graph.platform: graph.lock.by_name[name] for graph in release.platforms if name in graph.lock.by_name
    }
    if any(unreadable_because(package) for package in locked.values()):
        return
    newest = max(locked.values(), key=lambda package: parse(package.version))
    for platform, package in locked.items():
        if order(package.version, newest.version):
            excluding = [
                f"{parent} {text}"
                for parent, text in bounds[platform].get(name, ())
                if not meets(text, newest) and meets(text, package)
            ]
            why = "; ".join(excluding) or f"nothing there excludes {newest.version}; channels may lack it"
            yield f"{platform} has {package.version}: {why}"
