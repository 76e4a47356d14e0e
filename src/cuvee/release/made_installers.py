"""Testing the installers that a release folder holds: on machines that did not make them."""

from cuvee.errors import IntegrityError, UsageError
from cuvee.files import sha256_file
from cuvee.lock.model import PlatformLock
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD
from cuvee.release.recorded_release import recorded_release
from cuvee.release.selected_tests import SelectedRun, planned_units, run_units
from cuvee.release.session import Session
from cuvee.release.test_stage import installer_to_test


def run_made_installers(session: Session) -> SelectedRun:
    """Test a release with the installers in its folder; nothing is made, or written there.

    Raises
    ------
    NotLockedError
        If the release was made from another state of the manifest.
    UsageError
        If its folder has no record, or no installer to test with, or nothing can run here.
    IntegrityError
        If an installer is not the one that was recorded.
    """
    session.read_files()
    folder = session.workspace.folder
    if not (folder / RECORD).is_file():
        raise UsageError(
            f"{folder} has no {RECORD}, so that it is not known which installers are the release's",
            hint="Run `cuvee release MANIFEST` to the end.",
        )
    release, artefacts = recorded_release(session), Release.open(folder).artefacts
    plan = planned_units(session, release, only_look=False)
    wanted = {unit.platform for unit in plan.to_run}
    tested = {platform: _installer(session, tuple(artefacts), platform) for platform in sorted(wanted)}

    def installer_of(lock: PlatformLock) -> tuple[Artefact | None, str]:
        return tested[lock.platform], ""

    whole = not session.selection.is_partial and session.options.place is None
    return run_units(session, release, plan, installer_of, whole=whole)


def _installer(session: Session, artefacts: tuple[Artefact, ...], platform: str) -> Artefact:
    """Return the installer of a platform that tests are run with, which is there and as it was made."""
    of_platform = [
        item for item in artefacts if item.kind is ArtefactKind.INSTALLER and item.platform == platform
    ]
    found, reason = installer_to_test([item for item in of_platform if item.not_made is None])
    if found is None:
        reasons = [item.not_made.reason for item in of_platform if item.not_made is not None]
        raise UsageError(
            f"{session.manifest.release_name} cannot be tested on {platform}: {'; '.join(reasons) or reason}",
            hint="Run `cuvee release` again once this is solved.",
        )
    path = session.workspace.folder / found.path
    if not path.is_file():
        raise UsageError(
            f"{path} is not here, with which {platform} is tested",
            hint="Copy it from where the release was made.",
        )
    if sha256_file(path) != found.sha256:
        raise IntegrityError(
            f"{path} is not the installer that {RECORD} records",
            hint="Copy it again from where the release was made, and find out what changed it.",
        )
    return found
