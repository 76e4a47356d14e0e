"""What the recipes of a release make on this machine, in which order, and in which environments."""

from collections.abc import Sequence
from dataclasses import dataclass

from cuvee.build.build_order import BuildOrder, in_order
from cuvee.build.build_plan import NotBuilt, Planner
from cuvee.build.kept_builds import BuildCache
from cuvee.build.model import Output
from cuvee.channel.connection import connect
from cuvee.channel.repodata_writer import index_channel
from cuvee.errors import BlockedError, UsageError
from cuvee.files import storage_errors
from cuvee.platforms import host
from cuvee.release.build_environments import ReleaseEnvironments
from cuvee.release.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeWork:
    """All that is known before anything is built.

    Attributes
    ----------
    platform
        That of this machine, on which everything is built.
    not_built
        What the manifest requests of recipes, and this machine cannot build.
    """

    platform: str
    order: BuildOrder
    planner: Planner
    source: ReleaseEnvironments
    not_built: tuple[NotBuilt, ...]


def recipe_work(session: Session, platforms: Sequence[str]) -> RecipeWork:
    """Return what the recipes of a release make, for those of its ``platforms`` that can be made.

    Raises
    ------
    DocumentError
        If a recipe has problems.
    BlockedError
        If recipes need each other, or the platform of this machine is absent.
    """
    platform = _here(platforms)
    entry = next(item for item in session.manifest.present_platforms if item.name == platform)
    leave_imported(session, platforms)
    source = ReleaseEnvironments(session, entry, connect(session.workspace.cache, session.reporter))
    outputs = _rendered(session, platform, source)
    order = in_order(outputs, {item.name for item in session.manifest.packages})
    planner = Planner(
        order,
        platform=platform,
        engines=session.engines,
        source=source,
        cache=BuildCache(session.workspace.cache),
    )
    return RecipeWork(
        platform=platform,
        order=order,
        planner=planner,
        source=source,
        not_built=_not_built(session, outputs, platforms),
    )


def _here(platforms: Sequence[str]) -> str:
    here = host()
    if here is None:
        raise BlockedError("Recipes are built on the platform of this machine, and cuvee does not know it")
    if here.name not in platforms:
        raise UsageError(
            f"Recipes are built on {here.name}, the platform of this machine, and this run makes "
            f"{', '.join(platforms) or 'none'}",
            hint=f"Make {here.name}, too: leave out --platform, or give it once more.",
        )
    return here.name


def _rendered(session: Session, platform: str, source: ReleaseEnvironments) -> list[Output]:
    def render() -> list[Output]:
        variant = source.variant()
        found = (
            session.engines[recipe.engine].render(recipe, platform, variant) for recipe in session.recipes
        )
        return [output for outputs in found for output in outputs]

    outputs = render()
    source.made = frozenset(output.name for output in outputs)
    # What a channel has of a package that a recipe makes does not count.
    return render() if source.made.intersection(package.name for package in source.pins) else outputs


def _not_built(session: Session, outputs: Sequence[Output], platforms: Sequence[str]) -> tuple[NotBuilt, ...]:
    by_name = {output.name: output for output in outputs if output.subdir != "noarch"}
    return tuple(
        NotBuilt(
            recipe=by_name[item.name].recipe.name,
            name=item.name,
            platform=platform,
            reason=f"it is compiled, and this machine builds only for {by_name[item.name].subdir}",
        )
        for item in session.manifest.packages
        for platform in platforms
        if item.name in by_name and platform in item.platforms and platform != by_name[item.name].subdir
    )


def imported_archives(session: Session) -> list[tuple[str, str]]:
    """Return the packages that the channel stage has made, with their hashes."""
    entry = session.make.recorded("channel")
    return sorted(entry.outputs.items()) if entry is not None else []


def leave_imported(session: Session, platforms: Sequence[str]) -> None:
    """Leave only these packages in the channel: an earlier run may have built others."""
    folder = session.workspace.channel
    made = {path for path, _ in imported_archives(session)}
    with storage_errors(folder):
        for path in folder.glob("*/*.conda"):
            if path.relative_to(session.workspace.folder).as_posix() not in made:
                path.unlink()
    index_channel(folder, platforms)
