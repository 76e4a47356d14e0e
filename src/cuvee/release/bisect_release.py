"""Finding the packages that turn a test red between two releases."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.channel.archive_download import all_or_raise, fetch_archives
from cuvee.channel.connection import connect
from cuvee.errors import UsageError
from cuvee.graph.bisection import Trial, find_culprits
from cuvee.graph.mixtures import ChangedUnit, changed_units, mixture
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.runners.protocol import Runner
from cuvee.integration.runners.selection import select_runner
from cuvee.integration.suite_files import read_suite_files
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter
from cuvee.release.mixture_trials import MixtureTrials
from cuvee.release.record import Release

_TRIALS = {
    OutcomeState.PASS: Trial.GREEN,
    OutcomeState.FAIL: Trial.RED,
    OutcomeState.TIMEOUT: Trial.RED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangedPackage:
    """A package that differs: version and build before and after, empty where the release lacks it."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before or not self.after:
            return f"{self.name} {self.after or self.before} ({'added' if self.after else 'removed'})"
        return f"{self.name} {self.before} → {self.after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlamedChange:
    """Packages without whose change the test passes.

    Attributes
    ----------
    packages
        Most often one; several if they can only be changed together.
    alternatives
        Whether it is one of ``packages``, and it is not known which: trials between them were unclear.
    needs
        The names of other changed packages that it cannot be installed without.
    """

    packages: tuple[ExchangedPackage, ...]
    alternatives: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedMixture:
    """One trial: the names that were taken from the newer release, and what became of the test.

    ``cached`` says whether an earlier run had tried it.
    """

    taken: tuple[str, ...]
    state: OutcomeState
    reason: str
    cached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisection:
    """What was searched, tried and found.

    Attributes
    ----------
    changed
        How many packages differ.
    units
        How many sets of them can be changed one after the other.
    culprits
        Together they turn the test red; without one of them it passes.
    """

    old: str
    new: str
    platform: str
    runner: str
    test: str
    changed: int
    units: int
    culprits: tuple[BlamedChange, ...]
    tried: tuple[TriedMixture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BisectRequest:
    """What to search, and where: ``test`` is ``<suite>/<test>``, ``suites`` the folder of suites."""

    old: Release
    new: Release
    platform: str
    test: str
    suites: Path
    cache: Path
    today: dt.date
    timeout: float


def bisect_release(request: BisectRequest, reporter: Reporter) -> Bisection:
    """Return which packages turn a test red from one release to another.

    Each trial links a prefix of a consistent mixture of both and runs the test in it. What became of it is
    cached, so that an interrupted search goes on where it was.

    Raises
    ------
    UsageError
        If the platform cannot be run here, there is no such test, or it is not green in the older release
        and red in the newer one.
    """
    old, new = _lock(request.old, request.platform), _lock(request.new, request.platform)
    runner, reason = select_runner(request.platform)
    if runner is None:
        raise UsageError(
            f"{request.platform} cannot be tested here: {reason}", hint="Run it on such a machine."
        )
    units = changed_units(old, new)
    if not units:
        raise UsageError(
            f"{request.old.name} and {request.new.name} have the same packages on {request.platform}",
            hint="What differs is the test, the machine, or chance: repeat it.",
        )
    trials = _trials(request, runner, reporter)
    search = _Search(request=request, old=old, new=new, units=units, trials=trials, reporter=reporter)
    search.check_ends()
    culprits = find_culprits(units, search.attempt)
    return Bisection(
        old=request.old.name,
        new=request.new.name,
        platform=request.platform,
        runner=runner.name,
        test=request.test,
        changed=sum(len(unit.names) for unit in units),
        units=len(units),
        culprits=tuple(
            BlamedChange(
                packages=tuple(_exchanged(name, old, new) for name in search.names(culprit.units)),
                alternatives=len(culprit.units) > 1,
                needs=search.names(culprit.needs),
            )
            for culprit in culprits
        ),
        tried=tuple(search.tried),
    )


def _trials(request: BisectRequest, runner: Runner, reporter: Reporter) -> MixtureTrials:
    suite, _, test = request.test.partition("/")
    if not suite or not test:
        raise UsageError(
            f"{request.test!r} does not name a test", hint="Name it as the report does: <suite>/<test>."
        )
    archives: dict[str, Path] = {}
    connection = connect(request.cache, reporter)
    for release in (request.old, request.new):
        packages = _lock(release, request.platform).packages
        found = fetch_archives(
            packages,
            release=release.folder,
            cache=request.cache,
            connection=connection,
            reporter=reporter,
        )
        paths = all_or_raise(found)
        archives |= {package.sha256: paths[package.identifier] for package in packages}
    return MixtureTrials(
        manifest=request.new.manifest,
        suite=suite,
        test=test,
        files=read_suite_files(request.suites, [suite]),
        suites_folder=request.suites,
        archives=archives,
        runner=runner,
        cache=request.cache,
        today=request.today,
        timeout=request.timeout,
        hidden=(request.old.folder, request.new.folder),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    request: BisectRequest
    old: PlatformLock
    new: PlatformLock
    units: tuple[ChangedUnit, ...]
    trials: MixtureTrials
    reporter: Reporter
    tried: list[TriedMixture] = field(default_factory=list)

    def check_ends(self) -> None:
        """Raise unless the test passes in the older release and fails in the newer one."""
        for release, taken, wanted in (
            (self.request.old, (), Trial.GREEN),
            (self.request.new, range(len(self.units)), Trial.RED),
        ):
            if self.attempt(frozenset(taken)) is not wanted:
                last = self.tried[-1]
                said = f"{last.state.value}: {last.reason}" if last.reason else last.state.value
                verb = "passes" if wanted is Trial.GREEN else "fails"
                raise UsageError(
                    f"{self.request.test} must be a test that {verb} in {release.name}; there it is {said}",
                    hint="Bisecting needs a release in which the test passes, then one in which it fails.",
                )

    def attempt(self, taken: frozenset[int]) -> Trial:
        lock = mixture(self.old, self.new, self.units, taken)
        outcome, cached = self.trials.outcome(lock)
        self.tried.append(
            TriedMixture(taken=self.names(taken), state=outcome.state, reason=outcome.reason, cached=cached)
        )
        changed = sum(len(unit.names) for unit in self.units)
        self.reporter.say(tried_line(self.tried[-1], len(self.tried), changed))
        return _trial(outcome)

    def names(self, positions: Collection[int]) -> tuple[str, ...]:
        return tuple(sorted(name for number in positions for name in self.units[number].names))


def tried_line(tried: TriedMixture, number: int, changed: int) -> str:
    """Return one trial as a line of text."""
    result = f"{tried.state.value}: {tried.reason}" if tried.reason else tried.state.value
    cached = ", tried before" if tried.cached else ""
    shown = ", ".join(tried.taken) if 0 < len(tried.taken) < changed else ""
    which = "none" if not tried.taken else "all" if len(tried.taken) == changed else f"{len(tried.taken)}"
    return f"{number}. {which} of {changed} changes{f' ({shown})' if shown else ''}: {result}{cached}"


def _trial(outcome: TestOutcome) -> Trial:
    return _TRIALS.get(outcome.state, Trial.UNCLEAR)


def _lock(release: Release, platform: str) -> PlatformLock:
    lock = release.lock.by_platform.get(platform)
    if lock is None:
        raise UsageError(
            f"{release.name} has no lock for {platform}",
            hint=f"It has {', '.join(release.lock.by_platform) or 'none'}; --platform names one.",
        )
    return lock


def _exchanged(name: str, old: PlatformLock, new: PlatformLock) -> ExchangedPackage:
    before, after = old.by_name.get(name), new.by_name.get(name)
    same_version = before is not None and after is not None and before.version == after.version
    texts = [
        "" if item is None else f"{item.version} {item.build}" if same_version else item.version
        for item in (before, after)
    ]
    return ExchangedPackage(name=name, before=texts[0], after=texts[1])
