"""What an upgrade would change in a locked release."""

from cuvee.graph.upgrade_impact import Impact, impact
from cuvee.lock.solve import problem_of
from cuvee.release.lock_stage import own_channel
from cuvee.release.recorded_release import recorded_release
from cuvee.release.session import Session


def impact_of(session: Session, upgrade: str) -> Impact:
    """Return the impact of ``upgrade``, which is ``NAME`` or ``NAME=VERSION``; nothing is written.

    Raises
    ------
    UsageError
        If the release is not locked, or does not have such a package.
    """
    manifest, lock = session.manifest, recorded_release(session).lock
    return impact(
        upgrade,
        problem=problem_of(
            manifest,
            platforms=list(lock.by_platform),
            own_channel=own_channel(session),
            additions=session.additions,
        ),
        lock=lock,
        positions=manifest.sources,
        connection=session.connection,
        whole=session.options.verbose,
    )
