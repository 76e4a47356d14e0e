"""Building all recipes, wave by wave; what is unchanged comes from the cache."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.build.build_journal import Isolate
from cuvee.build.build_order import BuildOrder
from cuvee.build.build_plan import BuiltChannel, Planner
from cuvee.build.cross_building import BuildTarget
from cuvee.build.engine import BuildEngine
from cuvee.build.environments import Environments, EnvironmentSource, EnvironmentSources
from cuvee.build.kept_builds import BuildCache, key_of
from cuvee.build.model import BuiltPackage, Engine, Irreproducible, Output
from cuvee.build.package_build import BuildOutcome, BuildTask, build_package
from cuvee.build.source_files import fetch_sources, files_of
from cuvee.channel.connection import Connection
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import BlockedError, CuveeError
from cuvee.progress import Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """What all builds of a run have in common.

    Attributes
    ----------
    target
        The platform that is built for.
    cache
        The folder of downloads, sources and builds.
    logs
        The folder for the logs of builds that fail.
    check_reproducible
        Whether to build everything twice, even what is unchanged.
    may_be_elsewhere
        Whether the executor has other machines.
    """

    target: BuildTarget
    engines: Mapping[Engine, BuildEngine]
    cache: Path
    logs: Path
    isolate: Isolate
    check_reproducible: bool = False
    may_be_elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildsDone:
    """All packages of the recipes, and those of which two builds differ."""

    packages: tuple[BuiltPackage, ...]
    irreproducible: tuple[Irreproducible, ...] = ()


def build_waves(
    order: BuildOrder,
    settings: BuildSettings,
    *,
    sources: EnvironmentSources,
    connection: Connection,
    executor: Executor,
    reporter: Reporter,
    before: Sequence[BuiltPackage] = (),
) -> BuildsDone:
    """Build what is not in the cache; the packages of one wave at the same time.

    Parameters
    ----------
    before
        What was built for the platform of this machine, if this is another one.

    Raises
    ------
    BlockedError
        If packages cannot be built, or their tests fail; those that were built before stay in the cache.
    """
    waves = _Waves(order, settings, sources, connection, reporter)
    first = max((package.wave for package in before), default=0) + 1
    outcomes: list[BuildOutcome] = []
    for number, wave in enumerate(order.waves, first):
        made = (*before, *(item.package for item in outcomes))
        with BuiltChannel(made, waves.cache, sources.subdirs) as built:
            outcomes += waves.run(number, wave, built, executor)
    return BuildsDone(
        packages=tuple(item.package for item in outcomes),
        irreproducible=tuple(item.irreproducible for item in outcomes if item.irreproducible is not None),
    )


class _Waves:
    def __init__(
        self,
        order: BuildOrder,
        settings: BuildSettings,
        sources: EnvironmentSources,
        connection: Connection,
        reporter: Reporter,
    ) -> None:
        self._order, self._settings, self._sources = order, settings, sources
        self._connection, self._reporter = connection, reporter
        self.cache = BuildCache(settings.cache)
        self._planner = Planner(
            order,
            engines=settings.engines,
            sources=sources,
            cache=self.cache,
        )

    def run(
        self, number: int, wave: Iterable[Output], built: BuiltChannel, executor: Executor
    ) -> list[BuildOutcome]:
        """Return the packages of one wave, in its order."""
        found: dict[str, BuildOutcome] = {}
        tasks: list[BuildTask] = []
        for output in wave:
            package = None if self._settings.check_reproducible else self._settled(output, built)
            if package is None:
                task, package = self._task(output, built)
            if package is not None and not self._settings.check_reproducible:
                self.cache.make_latest(package, self._planner.questions.of(output))
                found[output.name] = BuildOutcome(package=package)
            else:
                tasks.append(task)
        if tasks:
            found |= self._build_all(number, self._with_sources(tasks), executor)
        return [_in_wave(found[output.name], number) for output in wave]

    def _settled(self, output: Output, built: BuiltChannel) -> BuiltPackage | None:
        """Return the kept package of an output whose environments need no solving."""
        last = self.cache.latest(output.name, output.subdir)
        parts = self._planner.settled_parts(output, last, built.packages)
        return None if parts is None else self.cache.find(key_of(parts))

    def _task(self, output: Output, built: BuiltChannel) -> tuple[BuildTask, BuiltPackage | None]:
        settings = self._settings
        parts, environments = self._planner.parts(output, built)
        key = key_of(parts)
        package = self.cache.find(key)
        needed = package is None or settings.check_reproducible
        task = BuildTask(
            output=output,
            key=key,
            parts=parts,
            question=self._planner.questions.of(output),
            machine=self._sources.machine,
            target=settings.target,
            engine=settings.engines[output.recipe.engine],
            archives=self._archives(environments, built) if needed else (),
            test_archives=self._paths(environments.test, self._sources.of_target, built) if needed else (),
            compilers=environments.compilers,
            sources={},
            cache=settings.cache,
            logs=settings.logs,
            isolate=settings.isolate,
            check_reproducible=settings.check_reproducible,
            may_be_elsewhere=settings.may_be_elsewhere,
        )
        return task, package

    def _archives(self, environments: Environments, built: BuiltChannel) -> tuple[tuple[str, Path], ...]:
        sources = self._sources
        if sources.platform == sources.machine:
            return self._paths((*environments.build, *environments.host), sources.of_target, built)
        build = self._paths(environments.build, sources.at_build, built)
        return (*build, *self._paths(environments.host, sources.of_target, built))

    def _paths(
        self, packages: Iterable[LockedPackage], source: EnvironmentSource, built: BuiltChannel
    ) -> tuple[tuple[str, Path], ...]:
        unique = {package.identifier: package for package in packages}
        paths = source.archives(unique.values())
        # What was built is in the cache, which other machines may share; the channel of it is only here.
        kept = {package.sha256: self.cache.archive(package) for package in built.packages}
        return tuple(
            (package.subdir, kept.get(package.sha256, paths[name])) for name, package in unique.items()
        )

    def _with_sources(self, tasks: list[BuildTask]) -> list[BuildTask]:
        outputs = [task.output for task in tasks]
        files = fetch_sources(outputs, self._settings.cache, self._connection, self._reporter)
        return [replace(task, sources=files_of(task.output, files)) for task in tasks]

    def _build_all(self, number: int, tasks: list[BuildTask], executor: Executor) -> dict[str, BuildOutcome]:
        platform = self._sources.platform
        target = "" if platform == self._sources.machine else f" for {platform}"
        title = (
            f"Build wave {number}{target}" if target else f"Build wave {number} of {len(self._order.waves)}"
        )
        self._reporter.start(title, total=len(tasks))
        found: dict[str, BuildOutcome] = {}
        failed: list[CuveeError] = []
        with ExitStack() as stack:
            futures = [(task, executor.submit(build_package, task)) for task in tasks]
            for _, future in futures:
                stack.callback(future.cancel)
            for task, future in futures:
                try:
                    outcome = future.result()
                except CuveeError as error:
                    failed.append(error)
                    continue
                package = outcome.package
                if not self.cache.archive(package).is_file():
                    failed.append(_not_here(package, self._settings.cache))
                    continue
                found[task.output.name] = outcome
                self._reporter.advance(title, note=f"{package.stem} ({package.seconds:.1f} s)")
        if failed:
            raise _failure(failed)
        self._reporter.finish(title, note=", ".join(outcome.package.stem for outcome in found.values()))
        return found


def _in_wave(outcome: BuildOutcome, number: int) -> BuildOutcome:
    return replace(outcome, package=replace(outcome.package, wave=number))


def _not_here(package: BuiltPackage, cache: Path) -> BlockedError:
    return BlockedError(
        f"{package.stem} was built on a machine that has another folder as {cache}",
        hint="Workers need the cache on a disk that all machines share. Without --executor it is built here.",
    )


def _failure(failed: list[CuveeError]) -> CuveeError:
    if len(failed) == 1:
        return failed[0]
    hints = " ".join(dict.fromkeys(error.hint or "" for error in failed)).strip()
    return BlockedError("\n\n".join(error.message for error in failed), hint=hints)
