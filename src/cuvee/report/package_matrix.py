"""The matrix of packages and platforms."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.conda.package_record import LockedPackage
from cuvee.graph.findings import Finding, Verdict
from cuvee.integration.outcomes import OutcomeState, TestOutcome, count
from cuvee.manifest.model import Requirement
from cuvee.release.record import OUTCOME_VERDICTS, Release
from cuvee.report.badges import (
    MISSING,
    NOT_HERE,
    NOT_WANTED,
    OK,
    STATES,
    UNTESTED,
    VERDICTS,
    Badge,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One package on one platform.

    Attributes
    ----------
    identifier
        ``name-version-build@platform``; empty when it is not locked there.
    detail
        One short sentence that explains the badge.
    anchor
        The part of the page that says more, such as ``finding-3``; may be empty.
    passed, tests
        How many tests that were run here are about it, and how many of them passed.
    """

    platform: str
    identifier: str = ""
    version: str = ""
    build: str = ""
    badge: Badge
    detail: str = ""
    anchor: str = ""
    passed: int = 0
    tests: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One package.

    Attributes
    ----------
    requested
        Whether the manifest names it.
    spec
        What the manifest requests; empty for an indirect package.
    owner
        Its owner; empty when it has none.
    licenses
        Those that its records state.
    changes
        How it changed against the base: words of `cuvee.graph.diff.ChangeKind`.
    differs
        Whether its version differs between platforms.
    needs
        The packages that meet its dependencies, on any platform.
    """

    name: str
    requested: bool
    spec: str
    owner: str
    groups: tuple[str, ...]
    licenses: tuple[str, ...]
    changes: tuple[str, ...]
    differs: bool
    needs: tuple[str, ...]
    cells: tuple[Cell, ...]

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that the platforms have, each once."""
        return tuple(dict.fromkeys(cell.version for cell in self.cells if cell.version))


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All packages of the release, those that the manifest names first."""

    platforms: tuple[str, ...]
    requested: tuple[Row, ...]
    indirect: tuple[Row, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows."""
        return self.requested + self.indirect

    @property
    def by_name(self) -> tuple[Row, ...]:
        """All rows, sorted by name."""
        return tuple(sorted(self.rows, key=lambda row: row.name))

    @property
    def counts(self) -> Mapping[Badge, int]:
        """How many cells have each status, the most frequent first."""
        badges = {cell.badge.word: cell.badge for row in self.rows for cell in row.cells}
        counts = Counter(cell.badge.word for row in self.rows for cell in row.cells)
        return {badges[word]: count for word, count in counts.most_common()}


Where = tuple[str, str]
"""Package name and platform."""


def matrix(release: Release, findings: tuple[Finding, ...], anchors: Mapping[TestOutcome, str]) -> Matrix:
    """Build the matrix.

    Parameters
    ----------
    findings
        In the order of the page.
    anchors
        For each outcome that has a place of its own on the page, that place.
    """
    requirements = {requirement.name: requirement for requirement in release.manifest.packages}
    names = sorted(
        {package.name for lock in release.lock.platforms for package in lock.packages} | {*requirements}
    )
    suspects = _suspects(findings, release)
    tests = _tests(release)
    builder = _Builder(
        release=release, requirements=requirements, suspects=suspects, tests=tests, anchors=anchors
    )
    changed: dict[str, list[str]] = defaultdict(list)
    for change in release.changes or ():
        changed[change.package].append(change.kind.value)
    rows = [builder.row(name, tuple(dict.fromkeys(changed[name]))) for name in names]
    return Matrix(
        platforms=tuple(release.lock.by_platform),
        requested=tuple(row for row in rows if row.requested),
        indirect=tuple(row for row in rows if not row.requested),
    )


def _suspects(findings: tuple[Finding, ...], release: Release) -> dict[Where, list[tuple[int, Finding]]]:
    """Return for each package and platform the findings that name it, by their number on the page."""
    by_identifier = {p.identifier: p for lock in release.lock.platforms for p in lock.packages}
    suspects: dict[Where, list[tuple[int, Finding]]] = defaultdict(list)
    for number, finding in enumerate(findings, 1):
        places = {(name, where) for name in finding.packages for where in finding.platforms}
        hit = (by_identifier[victim] for victim in finding.victims if victim in by_identifier)
        places |= {(package.name, package.platform) for package in hit}
        for place in places:
            suspects[place].append((number, finding))
    return suspects


def _tests(release: Release) -> dict[Where, list[TestOutcome]]:
    tests: dict[Where, list[TestOutcome]] = defaultdict(list)
    for outcome in release.outcomes:
        for name in [outcome.package] if outcome.package else outcome.packages:
            tests[name, outcome.platform].append(outcome)
    return tests


@dataclass(frozen=True, slots=True, kw_only=True)
class _Builder:
    release: Release
    requirements: dict[str, Requirement]
    suspects: dict[Where, list[tuple[int, Finding]]]
    tests: dict[Where, list[TestOutcome]]
    anchors: Mapping[TestOutcome, str]

    def row(self, name: str, changes: tuple[str, ...]) -> Row:
        locks = self.release.lock.platforms
        cells = tuple(self._cell(name, lock.platform, lock.by_name.get(name)) for lock in locks)
        requirement = self.requirements.get(name)
        licenses = {lock.by_name[name].license for lock in locks if name in lock.by_name}
        graphs = [item.graph for item in self.release.graph.platforms if name in item.graph]
        return Row(
            name=name,
            requested=requirement is not None,
            spec=requirement.spec.removeprefix(name).strip() if requirement else "",
            owner=(requirement.owner or "") if requirement else "",
            groups=requirement.groups if requirement else (),
            licenses=tuple(sorted(filter(None, licenses))),
            changes=changes,
            differs=len({cell.version for cell in cells if cell.version}) > 1,
            needs=tuple(sorted({below for graph in graphs for below in graph.successors(name)})),
            cells=cells,
        )

    def _cell(self, name: str, platform: str, package: LockedPackage | None) -> Cell:
        if package is None:
            return self._empty(name, platform)
        tests = [test for test in self.tests[name, platform] if test.state is not OutcomeState.NOT_RUN]
        counts = count(tests)
        badge, detail, anchor = self._status(name, platform, tests)
        return Cell(
            platform=platform,
            identifier=package.identifier,
            version=package.version,
            build=package.build,
            badge=badge,
            detail=detail,
            anchor=anchor,
            passed=counts.passed,
            tests=counts.run,
        )

    def _empty(self, name: str, platform: str) -> Cell:
        requirement = self.requirements.get(name)
        if requirement is None:
            return Cell(platform=platform, badge=NOT_HERE, detail=NOT_HERE.meaning)
        if platform in requirement.platforms:
            return Cell(platform=platform, badge=MISSING, detail=MISSING.meaning)
        others = ", ".join(requirement.platforms)
        return Cell(platform=platform, badge=NOT_WANTED, detail=f"The manifest names it for {others} only.")

    def _status(self, name: str, platform: str, tests: list[TestOutcome]) -> tuple[Badge, str, str]:
        """Choose the worst of what tests and findings say, then what is missing, then the good news."""
        order = list(STATES)
        failed = min(tests, key=lambda test: order.index(test.state), default=None)
        found = max(self.suspects[name, platform], key=lambda pair: (pair[1].verdict, -pair[0]), default=None)
        weight = OUTCOME_VERDICTS[failed.state] if failed else Verdict.READY
        if found and found[1].verdict > max(weight, Verdict.INFO):
            return VERDICTS[found[1].verdict], found[1].cause, f"finding-{found[0]}"
        if failed and weight > Verdict.READY:
            return STATES[failed.state], f"{failed.suite}: {failed.test}", self.anchors.get(failed, "")
        run = next((run for run in self.release.runs if run.platform == platform), None)
        if run is None or run.not_run is not None:
            return STATES[OutcomeState.NOT_RUN], run.not_run or "" if run else "No run is on record.", ""
        if any(test.state is OutcomeState.PASS for test in tests):
            return OK, "", ""
        return (STATES[failed.state], failed.reason, "") if failed else (UNTESTED, UNTESTED.meaning, "")
