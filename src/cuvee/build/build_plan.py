"""What a run will build, in which wave, and why; and what it takes from earlier runs."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from cuvee.build.build_order import BuildOrder
from cuvee.build.engine import BuildEngine
from cuvee.build.environments import (
    Environments,
    EnvironmentSources,
    digests_of,
    link_or_copy,
    resolve_environments,
)
from cuvee.build.kept_builds import BuildCache, KeptBuild, changes, key_of
from cuvee.build.model import BUILDER, BuiltPackage, Engine, KeyParts, NotBuilt, Output
from cuvee.build.settled_environments import EnvironmentQuestions
from cuvee.build.source_files import digests
from cuvee.channel.repodata_writer import write_repodata
from cuvee.temporary_folders import temporary_folder


class BuildAction(enum.Enum):
    """What a run does about a package."""

    BUILD = "build"
    REUSE = "reuse"
    TAKE = "take"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBuild:
    """One package of a plan.

    Attributes
    ----------
    wave
        From 1; the packages of one wave are built at the same time.
    reason
        Why it is built, as a phrase; that it is unchanged if it is not.
    key
        The build's key; empty if it depends on what is built first.
    not_tested
        Why its tests cannot be run on this machine; empty if they can.
    """

    recipe: str
    name: str
    version: str
    build: str
    subdir: str
    wave: int
    action: BuildAction
    reason: str
    key: str = ""
    not_tested: str = ""

    @property
    def identifier(self) -> str:
        """The unit of work: ``name-version-build@platform``."""
        return f"{self.name}-{self.version}-{self.build}@{self.subdir}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPlan:
    """All packages that recipes make, in the order of their waves.

    Attributes
    ----------
    unneeded
        Recipes of which neither the manifest nor another recipe needs anything.
    not_built
        What cannot be built on this machine.
    """

    builds: tuple[PlannedBuild, ...]
    unneeded: tuple[str, ...] = ()
    not_built: tuple[NotBuilt, ...] = ()

    @property
    def to_build(self) -> tuple[PlannedBuild, ...]:
        """What is built."""
        return tuple(item for item in self.builds if item.action is BuildAction.BUILD)


class Planner:
    """Finds out what must be built.

    Parameters
    ----------
    engines
        The engine of each kind of recipe.
    sources
        Where the environments come from, for the platform that is built for.
    """

    def __init__(
        self,
        order: BuildOrder,
        *,
        engines: Mapping[Engine, BuildEngine],
        sources: EnvironmentSources,
        cache: BuildCache,
    ) -> None:
        self._order, self._engines = order, engines
        self._sources, self._cache = sources, cache

    @cached_property
    def questions(self) -> EnvironmentQuestions:
        """What decides the environments of each output."""
        return EnvironmentQuestions(self._order, self._sources)

    def plan(self, *, unneeded: Sequence[str] = (), not_built: Sequence[NotBuilt] = ()) -> BuildPlan:
        """Return what a run would build; nothing is fetched or built for that."""
        builds, _ = self.planned()
        return BuildPlan(builds=builds, unneeded=tuple(unneeded), not_built=tuple(not_built))

    def planned(
        self, before: Sequence[BuiltPackage] = (), *, first_wave: int = 1
    ) -> tuple[tuple[PlannedBuild, ...], tuple[BuiltPackage, ...]]:
        """Return what a run would do, and what of it is kept already.

        Parameters
        ----------
        before
            What is kept of the platform of this machine, if this is the plan for another one.
        """
        noarch = {package.name: package for package in before if package.subdir == "noarch"}
        found: dict[str, BuiltPackage] = {}
        builds: list[PlannedBuild] = []
        for number, wave in enumerate(self._order.waves, first_wave):
            with BuiltChannel((*before, *found.values()), self._cache, self._sources.subdirs) as built:
                made = [self._planned(output, number, {**noarch, **found}, built) for output in wave]
            builds += [planned for planned, _ in made]
            found |= {package.name: package for _, package in made if package is not None}
        return tuple(builds), tuple(found.values())

    def _planned(
        self, output: Output, wave: int, found: Mapping[str, BuiltPackage], built: "BuiltChannel"
    ) -> tuple[PlannedBuild, BuiltPackage | None]:
        def planned(action: BuildAction, reason: str, key: str = "") -> PlannedBuild:
            return PlannedBuild(
                recipe=output.recipe.name,
                name=output.name,
                version=output.version,
                build=output.build,
                subdir=output.subdir,
                wave=wave,
                action=action,
                reason=reason,
                key=key,
            )

        last = self._cache.latest(output.name, output.subdir)
        if last is None:
            return planned(BuildAction.BUILD, "it has not been built yet"), None
        waits = sorted(name for name in self._order.needs[output.name] if name not in found)
        if waits:
            return planned(
                BuildAction.BUILD, f"it needs {' and '.join(waits)}, which {_are(waits)} built"
            ), None
        parts = self.settled_parts(output, last, built.packages)
        if parts is None:
            parts, _ = self.parts(output, built)
        key = key_of(parts)
        package = self._cache.find(key)
        if package is not None:
            return planned(BuildAction.REUSE, "unchanged", key), package
        reasons = changes(last.parts, parts) or ("what was built is no longer in the cache",)
        return planned(BuildAction.BUILD, "; ".join(reasons), key), None

    def settled_parts(
        self, output: Output, last: KeptBuild | None, before: Iterable[BuiltPackage]
    ) -> KeyParts | None:
        """Return what a build depends on if that needs no solving; else `None`."""
        settled = self.questions.settled(output, last, before)
        return None if settled is None else self._parts(output, *settled)

    def parts(self, output: Output, built: "BuiltChannel") -> tuple[KeyParts, Environments]:
        """Return what a build depends on, with its environments."""
        keys = {package.sha256: package.key for package in built.packages}
        environments = resolve_environments(output, self._sources, built.folder)
        compilers = environments.compiler_versions(self._sources.platform, self._sources.machine)
        parts = self._parts(
            output,
            {**digests_of(environments.build, keys), **compilers},
            digests_of(environments.host, keys),
            digests_of(environments.test, keys),
        )
        return parts, environments

    def _parts(
        self, output: Output, build: Mapping[str, str], host: Mapping[str, str], test: Mapping[str, str]
    ) -> KeyParts:
        return KeyParts(
            recipe=output.recipe.digest,
            package=output.stem,
            sources=digests(output),
            variant=output.variant,
            build_environment=build,
            host_environment=host,
            test_environment=test,
            platform=f"{output.subdir} on {self._sources.machine}",
            engine=f"{self._engines[output.recipe.engine].version}, builder {BUILDER}",
            patches=_patches(output),
        )


def _patches(output: Output) -> dict[str, str]:
    patches = output.recipe.patches
    if patches is None:
        return {}
    return {**{item.name: item.sha256 for item in patches.patches}, "statement": patches.digest}


class BuiltChannel:
    """The channel of what earlier waves have made; it is written when somebody first asks for it."""

    def __init__(self, packages: tuple[BuiltPackage, ...], cache: BuildCache, subdirs: Iterable[str]) -> None:
        self.packages = packages
        self._cache, self._subdirs = cache, tuple(subdirs)
        self._stack = ExitStack()
        self._written: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def folder(self) -> Path | None:
        """The channel's folder; `None` if nothing was made."""
        if self.packages and self._written is None:
            folder = self._stack.enter_context(temporary_folder("built"))
            write_built(folder, self.packages, self._cache, self._subdirs)
            self._written = folder
        return self._written


def write_built(
    folder: Path, packages: Iterable[BuiltPackage], cache: BuildCache, subdirs: Iterable[str]
) -> None:
    """Write the channel of what was built so far."""
    records: dict[str, dict[str, Mapping[str, object]]] = {name: {} for name in subdirs}
    for package in packages:
        link_or_copy(cache.archive(package), folder / package.subdir / package.file_name)
        records[package.subdir][package.file_name] = cache.record(package)
    for subdir, of_subdir in records.items():
        write_repodata(folder, subdir, of_subdir)


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
