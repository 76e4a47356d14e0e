"""Suites of the kind ``lifecycle``: a release is installed, upgraded, rolled back, repaired and removed.

Each target has folders of its own: a prefix with blanks in its name, a home, one for temporary files, and a
Wine prefix where there is one. What a removal leaves in them is a failure of it.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from cuvee import process
from cuvee.files import sha256_file
from cuvee.integration.inside import desktop_files as on_desktop
from cuvee.integration.installation_tests import INSTALL_SECONDS
from cuvee.integration.left_files import Contents, differences, listed
from cuvee.integration.lifecycle_files import files_of
from cuvee.integration.lifecycle_plan import (
    INSTALL,
    REPAIR,
    UNINSTALL,
    VERIFY,
    EarlierRelease,
    LifecycleTarget,
    UpgradeSteps,
)
from cuvee.integration.lifecycle_steps import StepFailedError, Steps
from cuvee.integration.model import PlannedSuite
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.runners.protocol import InstallerVerb, Sandbox
from cuvee.integration.test_session import Job, TestSession

_NO_INSTALLER = "the release was not installed with its installer"


def jobs(session: TestSession, suite: PlannedSuite) -> Iterator[Job]:
    """Yield the suite's jobs, one per starting point."""
    seconds = suite.timeout or INSTALL_SECONDS
    for target in suite.targets:
        if isinstance(target, LifecycleTarget):
            work = partial(_outcomes, session, suite.name, target, seconds)
            yield Job(unit=f"{suite.name}/{target.name}", run=work)


def _outcomes(
    session: TestSession, suite: str, target: LifecycleTarget, seconds: float
) -> Sequence[TestOutcome]:
    installer = session.installer
    if installer is None or any(test.unsupported or test.absent for test in target.tests):
        return not_run(target.tests, session.plan.platform, _NO_INSTALLER)
    with _desktop(session, f"{suite}-{target.name}") as place:
        there = replace(session, sandbox=place)
        steps = Steps(
            session=there,
            tests=target.tests,
            seconds=seconds,
            files=files_of(session, f"{suite}-{target.name}"),
        )
        if target.earlier is None:
            _from_nothing(steps, _copied(installer, place))
        else:
            _from_earlier(steps, target.earlier, _copied(installer, place))
        return steps.outcomes


@contextmanager
def _desktop(session: TestSession, name: str) -> Iterator[Sandbox]:
    """Yield folders for one lifecycle; they are removed afterwards, and what runs there is ended."""
    top = session.folder(name)
    place = replace(
        session.sandbox, prefix=top / "in a folder" / "the release", home=top / "home", temp=top / "tmp"
    )
    for folder in (place.home, place.temp, place.prefix.parent, top / "installers"):
        folder.mkdir()
    try:
        yield place
    finally:
        end = session.runner.finish(place)
        if end is not None:
            process.run(end)
        shutil.rmtree(top, ignore_errors=True)


def _copied(installer: Path, place: Sandbox) -> Path:
    """Copy an installer to where programs of the sandbox see it; two releases may use one name."""
    folder = place.home.parent / "installers"
    copy = folder / str(len(list(folder.iterdir()))) / installer.name
    copy.parent.mkdir()
    shutil.copyfile(installer, copy)
    return copy


def _from_nothing(steps: Steps, installer: Path) -> None:
    """Install this release, verify it, damage and repair it, remove it."""
    before = _surroundings(steps)
    steps.step(INSTALL, lambda: steps.install(installer))
    steps.step(VERIFY, lambda: steps.administer("verify"), after=(INSTALL,))
    steps.step(REPAIR, lambda: _repair(steps, installer), after=(VERIFY,))
    steps.step(UNINSTALL, lambda: _remove(steps, installer, before), after=(INSTALL,))


def _from_earlier(steps: Steps, earlier: EarlierRelease, installer: Path) -> None:
    """Install an earlier release, upgrade it, go back and forth, remove this release."""
    names = UpgradeSteps.of(earlier.version)
    prefix, ask = steps.sandbox.prefix, steps.files.ask
    before = _surroundings(steps)
    files: dict[str, Contents] = {}
    lost: list[str] = []

    def install() -> None:
        files["new"] = _freshly_installed(steps, installer)
        steps.install(_copied(_intact(earlier), steps.sandbox))
        files["old"] = ask(on_desktop.installed, prefix)

    def upgrade() -> None:
        ask(on_desktop.write_user_files, prefix)
        steps.maintain(installer, InstallerVerb.UPGRADE)
        lost.extend(ask(on_desktop.lost_user_files, prefix))
        ask(on_desktop.remove_user_files, prefix)

    def go_to(release: str) -> None:
        ask(on_desktop.write_user_files, prefix)
        steps.administer("rollback")
        lost.extend(ask(on_desktop.lost_user_files, prefix))
        ask(on_desktop.remove_user_files, prefix)
        _demand_files(steps, files[release])
        _demand_kept(lost)
        steps.administer("verify")

    def compare() -> None:
        _demand_files(steps, files["new"])
        steps.administer("verify")

    steps.step(names.install, install)
    steps.step(names.upgrade, upgrade, after=(names.install,))
    steps.step(names.same, compare, after=(names.upgrade,))
    steps.step(names.files, lambda: _demand_kept(lost), after=(names.upgrade,))
    lost.clear()
    steps.step(names.back, lambda: go_to("old"), after=(names.upgrade,))
    steps.step(names.forth, lambda: go_to("new"), after=(names.back,))
    steps.step(names.uninstall, lambda: _remove(steps, installer, before), after=(names.forth,))


def _surroundings(steps: Steps) -> dict[Path, Contents]:
    """Return what is in the folders where an installation may leave something."""
    steps.prepare()
    ask = steps.files.ask
    return {place: ask(on_desktop.contents, place) for place in steps.session.runner.places(steps.sandbox)}


def _freshly_installed(steps: Steps, installer: Path) -> Contents:
    """Return the files that the release's own installer makes in the prefix; it is removed again."""
    try:
        steps.install(installer)
        found = steps.files.ask(on_desktop.installed, steps.sandbox.prefix)
        steps.maintain(installer, InstallerVerb.UNINSTALL)
    except StepFailedError as error:
        reason = f"this release itself cannot be installed and removed: {error.reason}"
        raise StepFailedError(reason, log=error.log, state=OutcomeState.NOT_RUN) from error
    steps.files.ask(on_desktop.remove, steps.sandbox.prefix)
    return found


def _intact(earlier: EarlierRelease) -> Path:
    """Return the installer of an earlier release, if it is the one that was released."""
    installer = earlier.installer
    try:
        if installer is not None and sha256_file(installer) == earlier.sha256:
            return installer
        reason = "is not the one that its release.json names: get it again, or cut that release again"
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    name = installer.name if installer else "the installer"
    raise StepFailedError(f"{name} {reason}", state=OutcomeState.INFRA_ERROR)


def _repair(steps: Steps, installer: Path) -> None:
    """Damage the prefix, see that this is noticed, repair it, and compare all files."""
    prefix, ask = steps.sandbox.prefix, steps.files.ask
    good = ask(on_desktop.installed, prefix)
    damaged = ask(on_desktop.damage, prefix)
    if not damaged:
        reason = "the release has no files that it could do without for a while"
        raise StepFailedError(reason, state=OutcomeState.NOT_SUPPORTED)
    if steps.succeeds("verify"):
        raise StepFailedError(f"verify did not notice that these were damaged: {listed(damaged)}")
    try:
        steps.maintain(installer, InstallerVerb.REPAIR)
    finally:
        ask(on_desktop.forget_saved, prefix)
    _demand_files(steps, good)
    steps.administer("verify")


def _remove(steps: Steps, installer: Path, before: dict[Path, Contents]) -> None:
    """Remove the release; demand that nothing is left."""
    steps.maintain(installer, InstallerVerb.UNINSTALL)
    left = [
        f"{change} in {place}"
        for place, then in before.items()
        for change in differences(then, steps.files.ask(on_desktop.contents, place))
    ]
    if left:
        log = "\n".join(left) + "\n"
        raise StepFailedError(f"it did not leave things as they were: {listed(left)}", log=log)


def _demand_files(steps: Steps, expected: Contents) -> None:
    found = differences(expected, steps.files.ask(on_desktop.installed, steps.sandbox.prefix))
    if found:
        reason = f"the prefix is not what a new installation makes: {listed(found)}"
        raise StepFailedError(reason, log="\n".join(found) + "\n")


def _demand_kept(lost: Sequence[str]) -> None:
    if lost:
        raise StepFailedError(f"files of the user are gone or changed: {listed(lost)}")
