"""What an upgrade would change in a locked release."""

from cuvee.graph.upgrade_impact import Impact, impact
from cuvee.lock.model import Lock
from cuvee.lock.solve import problem_of
from cuvee.release.lock_stage import own_channel
from cuvee.release.session import Session


def impact_of(session: Session, lock: Lock, upgrade: str) -> Impact:
    """Return the impact of ``upgrade``, which is ``NAME`` or ``NAME=VERSION``; nothing is written.

    Raises
    ------
    UsageError
        If the release does not have such a package.
    """
    manifest = session.manifest
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
    )
