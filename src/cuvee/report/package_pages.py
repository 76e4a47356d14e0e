"""A page per package: what it is, what needs it, and what became of it over the releases."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.project_links import ProjectLink, merged
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.history.over_releases import PackageInRelease, Past
from cuvee.integration.outcomes import OutcomeState
from cuvee.manifest.model import PatchedPackage
from cuvee.release.record import ArchiveFacts, Release
from cuvee.report.badges import STATES, Badge
from cuvee.report.change_rows import ChangeRow
from cuvee.report.finding_rows import FindingRow
from cuvee.report.outcome_rows import OutcomeRow
from cuvee.report.package_matrix import Row
from cuvee.report.page import Page
from cuvee.report.stage_matrix import StageCells


@dataclass(frozen=True, slots=True, kw_only=True)
class PastCell:
    """A package on one platform of one release; without a badge if no test was about it."""

    version: str
    badge: Badge | None
    tests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRow:
    """A package in one release: by platform, what it was; a platform that lacks it is missing."""

    release: str
    cells: Mapping[str, PastCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePage:
    """All that a report has of one package.

    Attributes
    ----------
    row, requested
        Its row of the matrix, and whether the manifest names it.
    contact
        Of its owner; may be empty.
    records
        What is locked, by platform, each with the facts of its archive if that was looked into.
    links
        Where its project is on the web, as its packages say.
    changes
        What changed of it since the base.
    patched
        What the manifest says of its patches, if it has any.
    stages
        Its rows of the matrix of stages.
    needs
        Match specs of its dependencies, each with the name of the package that meets it, or an empty text.
    needed_by
        The packages that depend on it directly.
    outcomes
        Those about it or with it that did not pass.
    passed
        How many tests about it or with it passed.
    past
        It in this release and in earlier ones, this one first.
    """

    name: str
    row: Row
    requested: bool
    contact: str
    records: tuple[tuple[LockedPackage, ArchiveFacts | None], ...]
    links: tuple[ProjectLink, ...]
    changes: tuple[ChangeRow, ...]
    patched: PatchedPackage | None
    stages: tuple[StageCells, ...]
    needs: tuple[tuple[str, str], ...]
    needed_by: tuple[str, ...]
    findings: tuple[FindingRow, ...]
    outcomes: tuple[OutcomeRow, ...]
    passed: int
    past: tuple[PastRow, ...]


def package_pages(page: Page, release: Release, graph: ReleaseGraph, past: Past) -> Iterator[PackagePage]:
    """Yield the page of each package that can be linked to."""
    findings: dict[str, list[FindingRow]] = defaultdict(list)
    names = {package.identifier: package.name for package in graph.packages()}
    for finding in page.findings:
        hit = (names[victim] for victim in finding.victims if victim in names)
        for name in {*finding.packages, *hit}:
            findings[name].append(finding)
    outcomes: dict[str, list[OutcomeRow]] = defaultdict(list)
    for outcome in page.results.others:
        for name in outcome.packages:
            outcomes[name].append(outcome)
    passed: dict[str, int] = defaultdict(int)
    for outcome in page.results.passes:
        for name in outcome.packages:
            passed[name] += 1
    facts = {item.sha256: item for item in release.checked.archives} if release.checked else {}
    changes: dict[str, list[ChangeRow]] = defaultdict(list)
    for change in page.changes.rows if page.changes else ():
        changes[change.package].append(change)
    patched = {item.name: item for item in release.manifest.patched}
    contacts = {owner.name: owner.contact for owner in release.manifest.owners}
    states, wanted = _states(release), {entry.name for entry in release.manifest.packages}
    for row in page.matrix.rows:
        if row.name in page.names:
            now = _now(row, release.name, states)
            locked = (lock.by_name[row.name] for lock in release.lock.platforms if row.name in lock.by_name)
            records = tuple((package, facts.get(package.sha256)) for package in locked)
            yield PackagePage(
                name=row.name,
                row=row,
                requested=row.name in wanted,
                contact=contacts.get(row.owner, ""),
                records=records,
                links=merged(*(known.links for _, known in records if known is not None)),
                changes=tuple(changes[row.name]),
                patched=patched.get(row.name),
                stages=page.stages_of_use.packages.get(row.name, ()),
                needs=_needs(graph, row.name),
                needed_by=_needed_by(graph, row.name),
                findings=tuple(findings[row.name]),
                outcomes=tuple(outcomes[row.name]),
                passed=passed[row.name],
                past=_past((*past.packages.get(row.name, ()), *now)),
            )


def _states(release: Release) -> Mapping[tuple[str, str], Mapping[OutcomeState, int]]:
    states: dict[tuple[str, str], dict[OutcomeState, int]] = defaultdict(dict)
    for outcome in release.outcomes:
        if outcome.package:
            counts = states[outcome.package, outcome.platform]
            counts[outcome.state] = counts.get(outcome.state, 0) + 1
    return states


def _now(
    row: Row, release: str, states: Mapping[tuple[str, str], Mapping[OutcomeState, int]]
) -> Iterator[PackageInRelease]:
    for cell in row.cells:
        if cell.version:
            yield PackageInRelease(
                release=release,
                platform=cell.platform,
                version=cell.version,
                build=cell.build,
                states=states.get((row.name, cell.platform), {}),
            )


def _past(found: tuple[PackageInRelease, ...]) -> tuple[PastRow, ...]:
    rows: dict[str, dict[str, PastCell]] = defaultdict(dict)
    for item in found:
        badge = next((STATES[state] for state in STATES if item.states.get(state)), None)
        rows[item.release][item.platform] = PastCell(
            version=item.version, badge=badge, tests=sum(item.states.values())
        )
    return tuple(PastRow(release=release, cells=cells) for release, cells in reversed(rows.items()))


def _needs(graph: ReleaseGraph, name: str) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for platform in graph.platforms:
        package = platform.lock.by_name.get(name)
        targets = (
            {platform.graph.edges[name, target]["spec"]: target for target in platform.graph.successors(name)}
            if name in platform.graph
            else {}
        )
        for spec in package.depends if package else ():
            found[spec] = found.get(spec) or targets.get(spec, "")
    return tuple(sorted(found.items()))


def _needed_by(graph: ReleaseGraph, name: str) -> tuple[str, ...]:
    return tuple(sorted({other for platform in graph.platforms for other in platform.required_by(name)}))
