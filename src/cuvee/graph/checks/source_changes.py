"""Checks of what channels and the Python index say today of the packages that are locked."""

from collections.abc import Iterable, Iterator, Sequence

from cuvee.channel.source_comparison import ChangedPackage, SourceChange, SourceComparison
from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage, Record
from cuvee.graph.checks.check_interface import Check, NotApplicable, Severity
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph, meets

_COMPARE = "Run the same command where the channels and the index can be reached."
_LOCK_AGAIN = "Run the same command with `--refresh`, which locks what the channels have today."


class CorrectionsCheck(Check):
    """The set is right by the records that its channels have today, too."""

    identifier = "corrections"
    family = "sources"
    prerequisites = ("duplicates", "metadata")

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        sources = _compared(release)
        graphs = {graph.platform: graph for graph in release.platforms}
        replaced, corrected = FindingCollector(self, release), FindingCollector(self, release)
        for item in sources.changed:
            package, present = item.package, item.present
            if item.change is SourceChange.REPLACED:
                cause = f"{_title(package)} was replaced: its source has another file under the same name"
                for line in _hashes(item):
                    replaced.add(cause, victim=package, evidence=line, kind="replaced")
            elif item.change is SourceChange.CORRECTED and present is not None:
                unmet = list(unmet_by(graphs[package.platform], present))
                kind, verdict, rest = _judged(package, present, is_met=not unmet)
                cause = f"{package.stem} was corrected in its channel{rest}"
                for line in (*_differences(package, present), *unmet):
                    corrected.add(cause, victim=package, evidence=line, kind=kind, verdict=verdict)
        found = [
            *replaced.findings("Find out why it was replaced before you lock it again with `--refresh`."),
            *corrected.findings(_LOCK_AGAIN),
        ]
        yield from _with_not_compared(self, found, sources)


class WithdrawnCheck(Check):
    """No package has been withdrawn or revoked by its channel, or yanked from the Python index."""

    identifier = "withdrawn"
    family = "sources"
    severity = Severity(edge=Verdict.NEEDS_APPROVAL, stable=Verdict.NEEDS_APPROVAL, lts=Verdict.BLOCKED)

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        sources = _compared(release)
        causes = FindingCollector(self, release)
        for item in sources.changed:
            package = item.package
            if item.change not in _WITHDRAWN:
                continue
            source = "the Python index" if package.is_local else "its channel"
            causes.add(
                f"{_title(package)} {_WITHDRAWN[item.change]} {source}",
                victim=package,
                evidence=item.evidence,
                kind=item.change.value,
            )
        found = causes.findings(
            "Take another version: exclude this one in the manifest if it is stated there, "
            "and run the same command with `--refresh`."
        )
        yield from _with_not_compared(self, [*found, *self._of_base(release, sources)], sources)

    def _of_base(self, release: ReleaseGraph, sources: SourceComparison) -> Iterator[Finding]:
        """Yield what was withdrawn of the base and is not in this release, since it explains a change."""
        locks = release.lock.by_platform
        found: dict[str, list[ChangedPackage]] = {}
        for item in sources.base:
            found.setdefault(f"{item.package.stem} {_OF_BASE[item.change]}", []).append(item)
        for cause, items in found.items():
            package = items[0].package
            platforms = tuple(item.package.platform for item in items)
            now = [locks[name].by_name.get(package.name) for name in platforms]
            has = sorted({f"this release has {other.stem if other else 'none of it'}" for other in now})
            yield Finding(
                check=self.identifier,
                verdict=Verdict.INFO,
                kind="of-base",
                cause=f"The base's {cause}",
                packages=(package.name,),
                platforms=platforms,
                evidence=tuple(has),
                action="Tell those who have the base.",
            )


_WITHDRAWN = {
    SourceChange.WITHDRAWN: "is no longer in",
    SourceChange.REVOKED: "was revoked by",
    SourceChange.YANKED: "was yanked from",
}


_OF_BASE = {
    SourceChange.REPLACED: "was replaced in its channel",
    SourceChange.WITHDRAWN: "is no longer in its channel",
    SourceChange.REVOKED: "was revoked by its channel",
}


def unmet_by(graph: PlatformGraph, record: Record) -> Iterator[str]:
    """Yield what the set does not meet of a record's ``depends`` and ``constrains``."""
    virtual = {item.name: item for item in graph.lock.virtual_packages}
    for text in record.depends:
        name = read_spec(text).name
        found = graph.lock.by_name.get(name) or virtual.get(name)
        if found is None:
            yield f"it depends on {text}, and the set has no {name or 'such package'}"
        elif not meets(text, found):
            has = found.stem if isinstance(found, LockedPackage) else str(found)
            yield f"it depends on {text}, and the set has {has}"
    for text in record.constrains:
        other = graph.excluded_by(text)
        if other is not None:
            yield f"it constrains {text}, and the set has {other.stem}"


def _title(package: LockedPackage) -> str:
    """Return a package as its source names it; packages that are made of one wheel differ by their builds."""
    return f"{package.name} {package.version}" if package.is_local else package.stem


def _judged(package: Record, present: Record, *, is_met: bool) -> tuple[str, Verdict, str]:
    """Return kind and verdict of a correction, and what it means for the set."""
    if not is_met:
        return "unmet", Verdict.BLOCKED, ", and the set does not meet its present record"
    if package.license != present.license:
        return "license", Verdict.WARNING, ": it has another licence than the one that was checked"
    return "met", Verdict.INFO, "; the set meets its present record, too"


def _differences(package: Record, present: Record) -> Iterator[str]:
    for what, locked, now in (
        ("depends", package.depends, present.depends),
        ("constrains", package.constrains, present.constrains),
        ("track_features", package.track_features, present.track_features),
    ):
        yield from (f"{what}: {text} was added" for text in now if text not in locked)
        yield from (f"{what}: {text} was removed" for text in locked if text not in now)
    if package.license != present.license:
        yield f"license: {package.license or 'none'} became {present.license or 'none'}"


def _hashes(item: ChangedPackage) -> Iterator[str]:
    if item.present is None:
        yield item.evidence
        return
    yield f"{item.package.file_name}: locked with SHA-256 {item.package.sha256}"
    yield f"today its SHA-256 is {item.present.sha256}"


def _compared(release: ReleaseGraph) -> SourceComparison:
    """Return what the sources say; raise if they were not looked at."""
    if release.sources is None:
        raise NotApplicable("the lock was not compared with its channels", action=_COMPARE)
    return release.sources


def _with_not_compared(
    check: Check, found: Sequence[Finding], sources: SourceComparison
) -> Iterator[Finding]:
    """Yield findings, and what was not compared; raise if there is nothing but that."""
    if not found:
        _require_all_compared(sources)
    yield from found
    for item in sources.not_compared:
        yield Finding(
            check=check.identifier,
            verdict=Verdict.NEEDS_APPROVAL,
            kind="not-compared",
            cause=f"Not compared with {item.source}: {item.reason.splitlines()[0]}",
            platforms=tuple(dict.fromkeys(name.rpartition("@")[2] for name in item.packages)),
            victims=item.packages,
            action="Run the same command where the source can be reached.",
        )


def _require_all_compared(sources: SourceComparison) -> None:
    """Raise if packages were not compared with their source, naming each source and why."""
    if sources.not_compared:
        lines = (f"{item.source}: {item.reason.splitlines()[0]}" for item in sources.not_compared)
        raise NotApplicable("not compared with " + "; ".join(lines), action=_COMPARE)
