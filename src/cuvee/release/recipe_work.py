"""What the recipes of a release make on this machine, in which order, and in which environments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cuvee.build.build_order import BuildOrder, in_order
from cuvee.build.build_plan import Planner
from cuvee.build.kept_builds import BuildCache
from cuvee.build.model import NotBuilt, Output
from cuvee.channel.connection import connect
from cuvee.conda.match_spec import read_spec
from cuvee.errors import BlockedError
from cuvee.manifest.model import PlatformEntry
from cuvee.platforms import host
from cuvee.release.build_environments import ReleaseEnvironments
from cuvee.release.imported_channel import guest_channel, imported_channel
from cuvee.release.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeWork:
    """All that is known before anything is built.

    Attributes
    ----------
    platform
        That of this machine, on which everything is built.
    unneeded
        Recipes of which neither the manifest nor another recipe needs anything.
    not_built
        What the manifest requests of recipes, and this machine cannot build.
    """

    platform: str
    order: BuildOrder
    unneeded: tuple[str, ...]
    planner: Planner
    source: ReleaseEnvironments
    not_built: tuple[NotBuilt, ...]


def recipe_work(session: Session, platforms: Sequence[str]) -> RecipeWork:
    """Return what the recipes of a release make, for those of its ``platforms`` that can be made.

    If the platform of this machine is not one of them, that is what noarch packages need.

    Raises
    ------
    DocumentError
        If a recipe has problems.
    BlockedError
        If recipes need each other, or nothing can be built on this machine.
    """
    entry = _here(session)
    is_guest = entry.name not in platforms
    requested = {item.name for item in session.manifest.packages}
    if is_guest:
        order = in_order(_rendered(session, entry.name, {}), requested)
        channel = guest_channel(session, entry.name, _names_for(order))
    else:
        channel = imported_channel(session, platforms)
    connection = connect(session.workspace.cache, session.reporter)
    source = ReleaseEnvironments(session, entry, channel, connection)
    outputs = _in_variant(session, source)
    order = in_order(outputs, requested)
    unneeded = order.unneeded
    if is_guest:
        order = in_order(_for_noarch(order), requested)
    planner = Planner(
        order,
        platform=entry.name,
        engines=session.engines,
        source=source,
        cache=BuildCache(session.workspace.cache),
    )
    return RecipeWork(
        platform=entry.name,
        order=order,
        unneeded=unneeded,
        planner=planner,
        source=source,
        not_built=_not_built(session, outputs, platforms),
    )


def _here(session: Session) -> PlatformEntry:
    """Return the platform of this machine, as the manifest has it."""
    here = host()
    if here is None:
        raise BlockedError("Recipes are built on the platform of this machine, and cuvee does not know it")
    for entry in session.manifest.present_platforms:
        if entry.name == here.name:
            return entry
    raise BlockedError(
        f"Recipes are built on {here.name}, the platform of this machine, and "
        f"{session.manifest.release_name} is not made for it",
        hint=f"Add {here.name} to `platforms` in the manifest, or cut the release on one of its platforms.",
    )


def _rendered(session: Session, platform: str, variant: Mapping[str, str]) -> list[Output]:
    found = (session.engines[recipe.engine].render(recipe, platform, variant) for recipe in session.recipes)
    return [output for outputs in found for output in outputs]


def _in_variant(session: Session, source: ReleaseEnvironments) -> list[Output]:
    outputs = _rendered(session, source.platform, source.variant())
    source.made = frozenset(output.name for output in outputs)
    # What a channel has of a package that a recipe makes does not count.
    again = source.made.intersection(package.name for package in source.pins)
    return _rendered(session, source.platform, source.variant()) if again else outputs


def _for_noarch(order: BuildOrder) -> list[Output]:
    """Return the noarch outputs of recipes, and what these need."""
    by_name = {output.name: output for wave in order.waves for output in wave}
    found = [output.name for output in by_name.values() if output.subdir == "noarch"]
    for name in found:  # grows
        found += [other for other in order.needs[name] if other not in found]
    return [by_name[name] for name in found]


def _names_for(order: BuildOrder) -> set[str]:
    """Return the names of all packages that building and testing noarch packages asks for."""
    return names_asked(_for_noarch(order))


def names_asked(outputs: Iterable[Output]) -> set[str]:
    """Return the names of all packages that builds and tests of some outputs ask for."""
    return {
        read_spec(spec).name
        for output in outputs
        for specs in (output.build_specs, output.host_specs, output.run_specs, output.test_specs)
        for spec in specs
    }


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
