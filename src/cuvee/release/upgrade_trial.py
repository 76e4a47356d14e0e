"""What an upgrade would do to a release that is locked."""

from cuvee.graph.upgrade_impact import Impact, impact
from cuvee.lock.model import Lock
from cuvee.lock.solve import problem_of
from cuvee.release.context import Context


def impact_of(context: Context, lock: Lock, wanted: str) -> Impact:
    """Solve the release with ``wanted``, which is ``NAME`` or ``NAME=VERSION``; nothing is written.

    Raises
    ------
    UsageError
        If the release does not have such a package.
    """
    workspace, manifest = context.workspace, context.manifest
    own = workspace.channel if any(workspace.channel.glob("*/*.conda")) else None
    return impact(
        wanted,
        problem=problem_of(manifest, platforms=list(lock.by_platform), own_channel=own),
        lock=lock,
        positions=manifest.sources,
        connection=context.connection,
    )
