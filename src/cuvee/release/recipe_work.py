"""What the recipes of a release make on this machine, in which order, and in which environments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cuvee.build.build_order import BuildOrder, in_order
from cuvee.build.build_plan import Planner
from cuvee.build.cross_building import BuildTarget, can_build_for, needed_for, why_not_built
from cuvee.build.environments import EnvironmentSources
from cuvee.build.kept_builds import BuildCache
from cuvee.build.model import NotBuilt, Output
from cuvee.build.patched_recipes import patched_outputs
from cuvee.channel.connection import connect
from cuvee.conda.match_spec import read_spec
from cuvee.errors import BlockedError
from cuvee.manifest.model import PlatformEntry
from cuvee.platforms import host
from cuvee.release.build_environments import ReleaseEnvironments
from cuvee.release.build_targets import target_of
from cuvee.release.builds_elsewhere import BuildsElsewhere, TakenBuild
from cuvee.release.imported_channel import ImportedChannel, guest_channel, imported_channel
from cuvee.release.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformWork:
    """What the recipes of a release make for one platform."""

    target: BuildTarget
    order: BuildOrder
    planner: Planner
    sources: EnvironmentSources


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeWork:
    """All that is known before anything is built.

    Attributes
    ----------
    parts
        The work for each platform: first that of this machine, on which everything is built.
    unneeded
        Recipes of which neither the manifest nor another recipe needs anything.
    not_built
        What the manifest requests of recipes, and this machine cannot build.
    taken
        What another machine has built: all of a platform, in the order of waves.
    """

    parts: tuple[PlatformWork, ...]
    unneeded: tuple[str, ...]
    not_built: tuple[NotBuilt, ...]
    taken: tuple[TakenBuild, ...] = ()


def recipe_work(session: Session, platforms: Sequence[str]) -> RecipeWork:
    """Return what the recipes of a release make, for those of its ``platforms`` that can be made.

    If the platform of this machine is not one of them, that is what noarch packages need on it.

    Raises
    ------
    DocumentError
        If a recipe has problems.
    BlockedError
        If recipes need each other, or nothing can be built on this machine.
    """
    entry = _here(session)
    machine, is_guest = entry.name, entry.name not in platforms
    requested = {item.name for item in session.manifest.packages}
    if is_guest:
        order = in_order(_rendered(session, machine, {}), requested)
        channel = guest_channel(session, machine, _names_for(order))
    else:
        channel = imported_channel(session, platforms)
    here = _environments(session, entry, channel)
    outputs = _in_variant(session, here)
    order = in_order(outputs, requested)
    unneeded = order.unneeded
    if is_guest:
        order = in_order(_for_noarch(order), requested)
    sources = EnvironmentSources(machine=machine, platform=machine, at_build=here, of_target=here)
    parts = [_part(session, BuildTarget(platform=machine), order, sources)]
    not_built: list[NotBuilt] = []
    taken: list[TakenBuild] = []
    for platform in platforms:
        elsewhere = session.builds_elsewhere.get(platform)
        known = (*_not_for_machine(session, platform, outputs), *outputs)
        wanted = _requested(session, platform, known)
        if platform == machine or (elsewhere is None and not wanted):
            continue
        others = session.workspace.imports / "others"
        imported = channel if not is_guest else imported_channel(session, platforms, root=others)
        if elsewhere is not None:
            found, left = _taken_work(session, platform, elsewhere, known=known, channel=imported)
            taken += found
        else:
            part, left = _cross_work(
                session, platform, wanted, sources=sources, known=known, channel=imported
            )
            parts += [part] if part is not None else []
        not_built += left
    return RecipeWork(parts=tuple(parts), unneeded=unneeded, not_built=tuple(not_built), taken=tuple(taken))


def _environments(session: Session, entry: PlatformEntry, channel: ImportedChannel) -> ReleaseEnvironments:
    connection = connect(session.workspace.cache, session.reporter)
    return ReleaseEnvironments(session, entry, channel, connection)


def _part(
    session: Session, target: BuildTarget, order: BuildOrder, sources: EnvironmentSources
) -> PlatformWork:
    cache = BuildCache(session.workspace.cache)
    planner = Planner(order, engines=session.engines, sources=sources, cache=cache)
    return PlatformWork(target=target, order=order, planner=planner, sources=sources)


def _requested(session: Session, platform: str, outputs: Sequence[Output]) -> list[str]:
    """Return what the manifest requests for a platform and recipes make, not as noarch."""
    compiled = {output.name for output in outputs if output.subdir != "noarch"}
    return [
        item.name
        for item in session.manifest.packages
        if item.name in compiled and platform in item.platforms
    ]


def _not_for_machine(session: Session, platform: str, of_machine: Sequence[Output]) -> list[Output]:
    """Return what a platform has of recipes that make nothing for this machine, whatever the variant is."""
    made = {output.recipe.name for output in of_machine}
    return [
        output
        for recipe in session.recipes
        if recipe.name not in made
        for output in session.engines[recipe.engine].render(recipe, platform, {})
    ]


def _cross_work(
    session: Session,
    platform: str,
    requested: Sequence[str],
    *,
    sources: EnvironmentSources,
    known: Sequence[Output],
    channel: ImportedChannel,
) -> tuple[PlatformWork | None, list[NotBuilt]]:
    """Return the work for another platform, if anything can be built for it, and what cannot."""
    machine = sources.machine
    target = target_of(session, platform)
    native = {output.name: output for output in known}
    if not can_build_for(platform, machine):
        reason = why_not_built(native[requested[0]], target, machine)
        return None, [_left(native[name], platform, reason) for name in requested]
    source = _environments(session, _entry(session, platform), channel)
    outputs = {output.name: output for output in _in_variant(session, source)}
    order = in_order(outputs.values(), requested)
    names = needed_for(requested, outputs, order.needs)
    refused: dict[str, str] = {}
    kept: list[tuple[Output, ...]] = []
    for wave in order.waves:
        of_wave = [item for item in wave if item.name in names and item.subdir == platform]
        for output in of_wave:
            reason = why_not_built(output, target, machine)
            needs = [name for name in order.needs[output.name] if name in refused]
            if reason or needs:
                refused[output.name] = reason or f"it needs {' and '.join(needs)}"
        built = tuple(item for item in of_wave if item.name not in refused)
        kept += [built] if built else []
    for name in requested:
        if name not in outputs:
            refused[name] = _why_not_made(native[name], target, machine)
    left = [_left(outputs.get(name, native.get(name)), platform, why) for name, why in refused.items()]
    if not kept:
        return None, left
    both = EnvironmentSources(machine=machine, platform=platform, at_build=sources.at_build, of_target=source)
    return _part(session, target, replace(order, waves=tuple(kept), unneeded=()), both), left


def _taken_work(
    session: Session,
    platform: str,
    elsewhere: BuildsElsewhere,
    *,
    known: Sequence[Output],
    channel: ImportedChannel,
) -> tuple[tuple[TakenBuild, ...], list[NotBuilt]]:
    """Return all packages of recipes for a platform that another machine has built, and what has none.

    Raises
    ------
    UsageError
        If that machine did not build what the recipes make here.
    IntegrityError
        If a package is not the one that it has built.
    """
    native = {output.name: output for output in known}
    source = _environments(session, _entry(session, platform), channel)
    outputs = {output.name: output for output in _in_variant(session, source)}
    requested = _requested(session, platform, (*known, *outputs.values()))
    order = in_order(outputs.values(), requested)
    names = needed_for(requested, outputs, order.needs)
    wanted = (item for wave in order.waves for item in wave if item.name in names)
    target = target_of(session, platform)
    left = [
        _left(native[name], platform, _why_not_made(native[name], target, _here(session).name))
        for name in requested
        if name not in outputs
    ]
    return tuple(elsewhere.taken(item) for item in wanted if item.subdir == platform), left


def _why_not_made(output: Output, target: BuildTarget, machine: str) -> str:
    """Return why the recipe of a package makes nothing for another platform."""
    if output.recipe.engine != "rattler-build":
        return why_not_built(output, target, machine)
    return f"its recipe skips {target.platform}"


def _entry(session: Session, platform: str) -> PlatformEntry:
    return next(item for item in session.manifest.present_platforms if item.name == platform)


def _left(output: Output | None, platform: str, reason: str) -> NotBuilt:
    if output is None:
        raise RuntimeError("what is not built is made by a recipe")
    return NotBuilt(recipe=output.recipe.name, name=output.name, platform=platform, reason=reason)


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
    patches = {item.package.recipe: item for item in session.patches if item.package.recipe}
    found: list[Output] = []
    for recipe in session.recipes:
        outputs = session.engines[recipe.engine].render(recipe, platform, variant)
        stated = patches.get(recipe.name)
        found += outputs if stated is None else patched_outputs(outputs, stated)
    return found


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
