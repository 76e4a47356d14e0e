"""The matrix of packages, platforms and the stages that a package passes on a desktop."""

import enum
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cuvee.graph.findings import Finding, Verdict
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.lock.model import PlatformLock
from cuvee.release.record import Release
from cuvee.report.badges import MISSING, NOT_HERE, NOT_WANTED, STATES, UNTESTED, VERDICTS, Badge

SMOKE = "smoke"


class StageOfUse(enum.Enum):
    """What is done with a package, in this order."""

    SOLVE = "solve"
    INSTALL = "install"
    IMPORT = "import"
    OWN_TESTS = "own tests"
    INTEROP = "interop"
    UPGRADE = "upgrade"
    UNINSTALL = "uninstall"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCells:
    """One package on platforms where everything about it is the same.

    Attributes
    ----------
    platforms
        At least one.
    version
        Empty if it is not locked there.
    badges
        One per stage, in the order of `StageOfUse`.
    """

    platforms: tuple[str, ...]
    version: str
    badges: tuple[Badge, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The states that occur, each once."""
        return tuple(dict.fromkeys(badge.slug for badge in self.badges))


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMatrix:
    """By package, its rows: one for all platforms that do not differ."""

    stages: tuple[StageOfUse, ...]
    packages: Mapping[str, tuple[StageCells, ...]]


_PASSED = Badge("pass", "check", "good", "All of its tests passed.")
_LOCKED = Badge("locked", "check", "good", "Locked, and no check has a warning about it.")
_RANK = {state: number for number, state in enumerate(STATES)}
_BY_PREFIX = (
    ("uninstall", StageOfUse.UNINSTALL),
    ("remove", StageOfUse.UNINSTALL),
    ("upgrade", StageOfUse.UPGRADE),
    ("roll", StageOfUse.UPGRADE),
)


def stage_of(outcome: TestOutcome) -> StageOfUse:
    """Return the stage that a test is about.

    Tests of packages are those of the smoke suite (import), of one package (own tests), or of several
    (interop). All others are about the installation as a whole, and so about each package in it.
    """
    name = outcome.test.rpartition("::")[2].removeprefix("test_").lower()
    for prefix, stage in _BY_PREFIX:
        if name.startswith(prefix) and outcome.package is None:
            return stage
    if outcome.suite == SMOKE:
        return StageOfUse.IMPORT if outcome.package else StageOfUse.INSTALL
    if outcome.package:
        return StageOfUse.OWN_TESTS
    return StageOfUse.INTEROP if outcome.packages else StageOfUse.INSTALL


def stage_matrix(release: Release, findings: tuple[Finding, ...]) -> StageMatrix:
    """Return the matrix; packages are sorted by name."""
    cells = _Cells(release, findings)
    wanted = {entry.name for entry in release.manifest.packages}
    names = sorted({*wanted, *(name for lock in release.lock.platforms for name in lock.by_name)})
    return StageMatrix(
        stages=tuple(StageOfUse), packages={name: tuple(_merged(cells.of(name))) for name in names}
    )


def _merged(cells: Iterator[StageCells]) -> Iterator[StageCells]:
    groups: dict[tuple[object, ...], list[StageCells]] = defaultdict(list)
    for cell in cells:
        groups[cell.version, *(badge.word for badge in cell.badges)].append(cell)
    for same in groups.values():
        platforms = tuple(platform for cell in same for platform in cell.platforms)
        yield StageCells(platforms=platforms, version=same[0].version, badges=same[0].badges)


class _Cells:
    def __init__(self, release: Release, findings: tuple[Finding, ...]) -> None:
        self._release = release
        self._wanted = {entry.name: entry.platforms for entry in release.manifest.packages}
        self._ran = {run.platform for run in release.runs if run.not_run is None}
        self._states: dict[tuple[str, str, StageOfUse], list[OutcomeState]] = defaultdict(list)
        for outcome in release.outcomes:
            stage = stage_of(outcome)
            names = [outcome.package] if outcome.package else (outcome.packages or ("",))
            for name in names:
                self._states[outcome.platform, name, stage].append(outcome.state)
        self._found: dict[tuple[str, str], Verdict] = {}
        for finding in findings:
            for place in ((where, name) for where in finding.platforms for name in finding.packages):
                self._found[place] = max(self._found.get(place, Verdict.READY), finding.verdict)

    def of(self, name: str) -> Iterator[StageCells]:
        """Yield what each platform has of a package."""
        for lock in self._release.lock.platforms:
            badges = tuple(self._badge(lock, name, stage) for stage in StageOfUse)
            package = lock.by_name.get(name)
            yield StageCells(
                platforms=(lock.platform,), version=package.version if package else "", badges=badges
            )

    def _badge(self, lock: PlatformLock, name: str, stage: StageOfUse) -> Badge:
        if name not in lock.by_name:
            if name not in self._wanted:
                return NOT_HERE
            return MISSING if lock.platform in self._wanted[name] else NOT_WANTED
        if stage is StageOfUse.SOLVE:
            found = self._found.get((lock.platform, name), Verdict.READY)
            return VERDICTS[found] if found > Verdict.INFO else _LOCKED
        of_all = self._states.get((lock.platform, "", stage), [])
        states = [*self._states.get((lock.platform, name, stage), []), *of_all]
        if not states:
            return UNTESTED if lock.platform in self._ran else STATES[OutcomeState.NOT_RUN]
        worst = min(states, key=_RANK.__getitem__)
        # What passed where other tests of the stage were left out has passed as far as it can.
        if worst.has_run or OutcomeState.PASS not in states or worst is OutcomeState.INFRA_ERROR:
            return STATES[worst] if worst is not OutcomeState.PASS else _PASSED
        return _PASSED
