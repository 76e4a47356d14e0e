"""The stages of one platform, from its image to its tests; and what is recorded where they are not run."""

from collections.abc import Sequence
from dataclasses import replace

from cuvee import platforms
from cuvee.errors import CuveeError, InternalError, StorageError
from cuvee.graph.findings import Verdict
from cuvee.image.model import PAYLOAD
from cuvee.installers.formats import in_order
from cuvee.lock.model import PlatformLock
from cuvee.release.artefacts import Artefact, ArtefactKind, NotMade
from cuvee.release.delta_stage import make_deltas
from cuvee.release.image_stage import make_image
from cuvee.release.installer_stage import installer_path, make_installers, make_project
from cuvee.release.record import InstallerResult, Release, TestResult
from cuvee.release.session import Session
from cuvee.release.test_places import at_once
from cuvee.release.test_stage import make_tests


def make_platforms(session: Session, release: Release) -> Release:
    """Return a checked release with all platforms built and tested.

    If findings block it, nothing is built, which is recorded for each artefact and each test; unless the
    caller wants to keep going: then a platform that cannot be built does not keep others from it, either.

    Raises
    ------
    CuveeError
        If a platform cannot be built, and the caller does not want to keep going.
    """
    reason = "" if session.options.keep_going else why_blocked(release)
    untested: list[PlatformLock] = []
    for lock in release.lock.platforms:
        if reason:
            release = _not_built(session, release, lock, NotMade(reason=reason, exit_code=1, not_tried=True))
            continue
        try:
            release = _built(session, release, lock)
            if session.options.executor.is_remote:
                untested.append(lock)  # a cluster tests all platforms at once
            else:
                release = _tested(session, release, [lock])
        except (StorageError, InternalError):
            raise
        except CuveeError as error:
            if not session.options.keep_going:
                raise
            session.reporter.warn(f"{lock.platform}: {error.message}")
            why = replace(NotMade.because_of(error), failed=True)
            release = _not_built(session, release, lock, why)
    return _tested(session, release, untested)


def why_blocked(release: Release) -> str:
    """Return what keeps a checked release from being built; the empty text if nothing does."""
    if not release.verdict.exit_code:
        return ""
    blocking = [finding for finding in release.findings if finding.verdict.exit_code]
    counts = {item.check: sum(other.check == item.check for other in blocking) for item in blocking}
    listed = ", ".join(f"{name} ({count})" if count > 1 else name for name, count in counts.items())
    reasons = [f"there is no lock for {', '.join(release.unlocked)}"] if release.unlocked else []
    if listed:
        must_be = "fixed" if release.verdict is Verdict.BLOCKED else "approved"
        reasons.append(f"findings must be {must_be} or waived first: {listed}")
    return "; ".join(reasons) or release.verdict.must_act


def _built(session: Session, release: Release, lock: PlatformLock) -> Release:
    if not session.manifest.installers:  # then nothing would unpack an image
        return release
    image, imaged = make_image(session, lock)
    project = make_project(session, lock)  # first: constructor makes installers of it
    made = make_installers(session, lock, image)
    installers = (project, *made, *make_deltas(session, lock, made))
    return replace(
        release,
        images=(*release.images, imaged),
        installers=(*release.installers, *installers),
    )


def _tested(session: Session, release: Release, locks: Sequence[PlatformLock]) -> Release:
    """Return a release with the tests of platforms that were built."""

    def test(lock: PlatformLock) -> TestResult:
        installers = [item for item in release.installers if item.platform == lock.platform]
        try:
            return make_tests(session, lock, installers)
        except (StorageError, InternalError):
            raise
        except CuveeError as error:
            # On one machine the caller does that; on a cluster it would end the tests of other platforms.
            if not (session.options.keep_going and session.options.executor.is_remote):
                raise
            session.reporter.warn(f"{lock.platform}: {error.message}")
            return make_tests(session, lock, (), not_built=f"it could not be tested: {error.message}")

    return replace(release, tests=(*release.tests, *at_once(session, test, locks)))


def _not_built(session: Session, release: Release, lock: PlatformLock, why: NotMade) -> Release:
    """Return a release with the reason why a platform has no artefacts and no test was run there."""
    if why.not_tried:
        why = replace(why, remedy="Or build and test it all the same, with `--keep-going`.")
    formats = session.manifest.installers.formats.get(platforms.get(lock.platform).system, ())
    payload = session.workspace.image(lock.platform) / PAYLOAD
    paths = {kind: installer_path(session, lock, kind) for kind in in_order(formats)}
    if not paths and session.manifest.installers:
        paths = {"": payload}
    missing = tuple(
        InstallerResult(
            stage=f"installer-{lock.platform}-{kind}" if kind else f"image-{lock.platform}",
            platform=lock.platform,
            artefacts=(
                Artefact(
                    path=path.relative_to(session.workspace.folder).as_posix(),
                    kind=ArtefactKind.INSTALLER if kind else ArtefactKind.IMAGE,
                    platform=lock.platform,
                    format=kind,
                    not_made=why,
                ),
            ),
        )
        for kind, path in paths.items()
    )
    reason = f"it could not be built: {why.reason}" if why.failed else why.reason
    return replace(
        release,
        installers=(*release.installers, *missing),
        tests=(*release.tests, make_tests(session, lock, (), not_built=reason)),
    )
