"""The build stage: packages of recipes are built, tested, and put into the release's channel."""

from concurrent.futures import Executor
from typing import TYPE_CHECKING

from cuvee.build.model import BUILDER, RecipeFacts
from cuvee.codec import decode, encode
from cuvee.errors import CuveeError
from cuvee.release.package_request import base_fingerprint, imported_archives, package_inputs
from cuvee.release.record import BuildResult, ChannelResult
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage, finished

if TYPE_CHECKING:
    from cuvee.build.build_plan import BuildPlan


def make_builds(
    session: Session,
    channel: ChannelResult,
    *,
    check_reproducible: bool = False,
    executor: Executor | None = None,
) -> BuildResult | None:
    """Run the stage; what it makes is in ``channel/`` and ``builds/`` of the release folder.

    Return `None` if the manifest has no recipes.

    Raises
    ------
    BlockedError
        If a package cannot be built, or its tests fail. Nothing of it is in the channel then.
    """
    if not session.recipes:
        return None
    platforms = _platforms(session, channel)

    def run() -> Made[BuildResult]:
        from cuvee.release.build_work import built_packages

        return built_packages(session, platforms, executor, check_reproducible=check_reproducible)

    stage = Stage.of(
        "build",
        [
            package_inputs(session.manifest, session.additions),
            encode([(recipe.name, recipe.digest) for recipe in session.recipes]),
            encode([imported_archives(session), platforms]),
            [session.engines[name].version for name in sorted({item.engine for item in session.recipes})],
            base_fingerprint(session.base_lock),
            *([item.digest for item in session.patches]),
            *([item.digest for _, item in sorted(session.builds_elsewhere.items())]),
        ],
        run,
        BuildResult,
        version=BUILDER,
    )
    built = finished(session.make(stage, again=session.options.refresh or check_reproducible))
    session.recipe_facts = built.facts
    return built


def recorded_facts(session: Session) -> RecipeFacts | None:
    """Return what an earlier run has found of the recipes; `None` if that is not known."""
    entry = session.make.recorded("build")
    try:
        return decode(BuildResult, entry.kept).facts if entry is not None else None
    except CuveeError:
        return None


def plan_builds(session: Session, channel: ChannelResult) -> "BuildPlan":
    """Return what `make_builds` would build, and why; nothing is built."""
    from cuvee.build.build_plan import BuildPlan
    from cuvee.release.build_work import planned_builds

    if not session.recipes:
        return BuildPlan(builds=())
    return planned_builds(session, _platforms(session, channel))


def _platforms(session: Session, channel: ChannelResult) -> list[str]:
    absent = {item.platform for item in channel.absent}
    return [name for name in session.platforms if name not in absent]
