"""Plans of tests, and runs of selected units: they are shown, and never recorded as a release's tests."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from cuvee.channel.archive_download import archive_path
from cuvee.channel.model import Absent
from cuvee.errors import BlockedError, CuveeError, SourceUnreachableError, UsageError
from cuvee.executors.executor_choice import ExecutorChoice
from cuvee.files import sha256_file
from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import OutcomeState, PlatformRun, blocking
from cuvee.integration.results_folder import OUTCOMES, read_run
from cuvee.integration.unit_selection import SelectionFacts, demand_work, select_units
from cuvee.integration.units import FIRST, NOT_SELECTED, Unit, UnitChoice
from cuvee.lock.model import PlatformLock
from cuvee.release.artefacts import Artefact
from cuvee.release.changed_packages import changed_packages
from cuvee.release.check_stage import ArchiveAccess
from cuvee.release.image_stage import make_image
from cuvee.release.installer_stage import make_installers
from cuvee.release.pipeline import check_release
from cuvee.release.platform_stages import why_blocked
from cuvee.release.record import Release
from cuvee.release.recorded_release import recorded_release
from cuvee.release.session import Session
from cuvee.release.test_places import at_once, place_of
from cuvee.release.test_stage import installer_to_test, plan_from, run_with, units_on


@dataclass(frozen=True, kw_only=True)
class TestPlan:
    """What would run, in order, and what would not, with the reasons.

    ``unread`` are the packages whose archives are not here, by platform: the smoke suite tests more of them.
    ``slots`` says how many units of a platform a cluster runs at once.
    """

    __test__ = False

    release: str
    units: tuple[Unit, ...]
    selected: frozenset[str]
    absent: tuple[Absent, ...] = ()
    unread: Mapping[str, tuple[str, ...]]
    executor: ExecutorChoice = field(default_factory=ExecutorChoice)
    slots: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def to_run(self) -> tuple[Unit, ...]:
        """The units that would run."""
        return tuple(unit for unit in self.units if unit.identifier in self.selected and not unit.not_run)

    @cached_property
    def left_out(self) -> tuple[tuple[Unit, str], ...]:
        """The others, each with the reason."""
        return tuple(
            (unit, unit.not_run or NOT_SELECTED)
            for unit in self.units
            if unit.not_run or unit.identifier not in self.selected
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectedRun:
    """What became of units that ran; nothing of it is recorded.

    ``whole`` is whether they are all that there are for the platforms that were named, with the release's
    installers as they are. Otherwise others are left out, and the verdict is never ready.
    """

    plan: TestPlan
    runs: tuple[PlatformRun, ...]
    folder: Path
    whole: bool = False

    @property
    def verdict(self) -> Verdict:
        """Blocked if an outcome blocks; else waiting, for the tests that did not run, if there are any."""
        if blocking(self.runs):
            return Verdict.BLOCKED
        return Verdict.READY if self.whole and not self.plan.left_out else Verdict.WAITING


def plan_tests(session: Session) -> TestPlan:
    """Return what a run of the tests of a locked release would do; nothing is made, fetched or written.

    Raises
    ------
    NotLockedError
        If the release is not locked.
    UsageError
        If the selection names what does not exist, or nothing is left to run.
    """
    session.read_files()
    return planned_units(session, recorded_release(session), only_look=True)


def run_selected_tests(session: Session) -> SelectedRun:
    """Make the installers that are needed, and run the selected units with them.

    Raises
    ------
    BlockedError
        If findings block the release, and the caller does not want to keep going.
    UsageError
        If the selection names what does not exist, or nothing is left to run; or if the place that the caller
        wants is none, or runs none of the platforms.
    SourceUnreachableError
        If that is a machine that does not answer.
    """
    if session.options.place is not None and session.options.executor.is_remote:
        raise UsageError(
            "--on and a cluster exclude each other",
            hint="A worker tests in its own system: start one there.",
        )
    _ = session.place  # before anything is built for it
    access = ArchiveAccess.FETCH if session.options.keep_going else ArchiveAccess.REQUIRE
    release = check_release(session, access=access)
    blocked = "" if session.options.keep_going else why_blocked(release)
    if blocked:
        raise BlockedError(
            f"{release.name} is not built, so nothing was tested: {blocked}",
            hint="Or test it all the same, with `--keep-going`.",
        )
    plan = planned_units(session, release, only_look=False)
    return run_units(session, release, plan, partial(_make_installer, session))


def run_units(
    session: Session,
    release: Release,
    plan: TestPlan,
    installer_of: Callable[[PlatformLock], tuple[Artefact | None, str]],
    *,
    whole: bool = False,
) -> SelectedRun:
    """Run the units of a plan; ``installer_of`` gives a platform's installer, or why there is none."""
    folder, fail_fast = results_folder(session), session.selection.fail_fast
    runs: list[PlatformRun] = []

    def run(lock: PlatformLock) -> PlatformRun:
        names = tuple(unit.name for unit in plan.to_run if unit.platform == lock.platform)
        tested, without = installers[lock.platform]
        place = place_of(session, lock.platform)
        return run_with(
            session,
            lock,
            plan_from(session, lock, session.archives(lock)),
            tested,
            place.runner,
            without=without,
            results=folder,
            choice=UnitChoice(names=frozenset(names), order=names, fail_fast=fail_fast),
            place=place.cluster,
        )

    wanted = {unit.platform for unit in plan.to_run}
    locks = [lock for lock in release.lock.platforms if lock.platform in wanted]
    installers: dict[str, tuple[Artefact | None, str]] = {}
    # Of each platform, what it needs is made before it is tested; a cluster tests all at once.
    for group in (
        [locks] if session.options.executor.is_remote and not fail_fast else [[one] for one in locks]
    ):
        if fail_fast and blocking(runs):
            break
        installers |= {lock.platform: installer_of(lock) for lock in group}
        runs += at_once(session, run, group)
    return SelectedRun(plan=plan, runs=tuple(runs), folder=folder, whole=whole)


def results_folder(session: Session) -> Path:
    """Return where the results of a run that is not recorded go; in the cache, older ones are removed.

    Raises
    ------
    UsageError
        If something else is where those of a platform would go.
    """
    folder = session.options.results
    if folder is None:
        folder = session.workspace.cache / "selected-tests" / session.manifest.release_name
        shutil.rmtree(folder, ignore_errors=True)
    for platform in session.platforms:
        place = folder / platform
        if place.exists() and not (place / OUTCOMES).is_file():
            raise UsageError(
                f"{place} is there already, and is not the result of a test", hint="Name another folder."
            )
    return folder.resolve()


def _make_installer(session: Session, lock: PlatformLock) -> tuple[Artefact | None, str]:
    if not session.manifest.installers:
        return None, "the manifest names no installers"
    image, _ = make_image(session, lock)
    made = [item for result in make_installers(session, lock, image) for item in result.artefacts]
    return installer_to_test([item for item in made if item.not_made is None])


def planned_units(session: Session, release: Release, *, only_look: bool) -> TestPlan:
    """Return the plan of a locked release; with ``only_look`` from the archives that are here."""
    units: list[Unit] = []
    unread: dict[str, tuple[str, ...]] = {}
    slots: dict[str, int] = {}
    for lock in release.lock.platforms:
        archives = _at_hand(session, lock) if only_look else session.archives(lock)
        missing = tuple(item.name for item in lock.packages if item.identifier not in archives)
        unread |= {lock.platform: missing} if missing else {}
        place = place_of(session, lock.platform)
        slots |= {lock.platform: place.cluster.slots} if place.cluster is not None else {}
        units += units_on(
            session, lock, plan_from(session, lock, archives), place.runner, without=place.reason
        )
    facts = {lock.platform: _facts(session, release, lock) for lock in release.lock.platforms}
    selected = select_units(units, session.selection, facts)
    demand_work(selected)
    platforms = {unit.platform for unit in selected if not unit.not_run}
    first = [
        unit for unit in units if unit.platform in platforms and (unit.suite, unit.target) in FIRST
    ]  # they always run, since all others need them
    return TestPlan(
        release=release.name,
        units=tuple(units),
        selected=frozenset(unit.identifier for unit in (*selected, *first)),
        absent=release.absent,
        unread=unread,
        executor=session.options.executor,
        slots=slots,
    )


def _at_hand(session: Session, lock: PlatformLock) -> Mapping[str, Path]:
    """Return the verified archives that are in the release folder or in the cache."""
    found = {}
    for package in lock.packages:
        try:
            path = archive_path(package, session.workspace.folder, session.workspace.cache)
            good = sha256_file(path) == package.sha256
        except (CuveeError, OSError):
            continue
        if good:
            found[package.identifier] = path
    return found


def _facts(session: Session, release: Release, lock: PlatformLock) -> SelectionFacts:
    selection, manifest = session.selection, session.manifest
    return SelectionFacts(
        known_packages=frozenset(lock.by_name),
        known_owners=frozenset(owner.name for owner in manifest.owners),
        changed=_changed(session, release, lock) if selection.changed else frozenset(),
        failed=_failed(session, lock.platform) if selection.failed else frozenset(),
    )


def _changed(session: Session, release: Release, lock: PlatformLock) -> frozenset[str]:
    """Return the packages that differ from the base, and all that need them; raise if that is not known."""
    base = session.base_lock
    if base is None:
        has_base = session.manifest.base is not None
        what = "has a base that is not here" if has_base else "is not based on another release"
        raise UsageError(
            f"{release.name} {what}, so that it is not known what has changed",
            hint="`based-on` in the manifest names the base, and --base its release folder or lock.",
        )
    return changed_packages(lock, base)


def _failed(session: Session, platform: str) -> frozenset[tuple[str, str]]:
    """Return the tests that failed in the last recorded run on a platform, by suite and name."""
    try:
        run = read_run(session.workspace.results / platform)
    except SourceUnreachableError as error:
        raise UsageError(
            f"There are no results for {platform}, so that it is not known what failed",
            hint="`cuvee test` without a selection tests everything, and records it.",
        ) from error
    states = (OutcomeState.ALWAYS_FAIL, OutcomeState.FLAKY)
    return frozenset(
        (outcome.suite, outcome.test)
        for outcome in run.outcomes
        if outcome.state.blocks or outcome.state in states
    )
