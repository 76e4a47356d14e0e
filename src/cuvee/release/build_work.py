"""What the build stage does if something has changed: what is built, and how it gets into the channel."""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from cuvee.build.build_plan import BuildAction, BuildPlan, PlannedBuild
from cuvee.build.build_waves import BuildsDone, BuildSettings, build_waves
from cuvee.build.environments import link_or_copy
from cuvee.build.kept_builds import BuildCache
from cuvee.build.model import BuiltFrom, BuiltPackage, Output
from cuvee.channel.repodata_writer import index_channel
from cuvee.conda.url_secrets import clean_url
from cuvee.files import storage_errors, write_bytes
from cuvee.integration.runners.isolation import strongest_isolation
from cuvee.release.build_isolation import isolated_by
from cuvee.release.builds_elsewhere import TakenBuild
from cuvee.release.imported_channel import leave_imported
from cuvee.release.package_request import imported_archives
from cuvee.release.recipe_work import RecipeWork, names_asked, recipe_work
from cuvee.release.record import BuildResult
from cuvee.release.session import Session
from cuvee.release.stage import Made

BUILDS_AT_ONCE = 2
"""Builds at the same time: compilers use several cores themselves."""


def planned_builds(session: Session, platforms: Sequence[str]) -> BuildPlan:
    """Return what would be built, and why; nothing is built."""
    work = recipe_work(session, platforms)
    builds: list[PlannedBuild] = []
    kept: tuple[BuiltPackage, ...] = ()
    for number, part in enumerate(work.parts):
        first = max((item.wave for item in builds), default=0) + 1
        planned, found = part.planner.planned(kept, first_wave=first)
        builds += [replace(item, not_tested=part.target.not_run) for item in planned]
        kept = found if number == 0 else kept
    last = max((item.wave for item in builds), default=0)
    builds += [_planned(item.package, last + 1) for item in work.taken]
    return BuildPlan(builds=tuple(builds), unneeded=work.unneeded, not_built=work.not_built)


def _planned(package: BuiltPackage, wave: int) -> PlannedBuild:
    return PlannedBuild(
        recipe=package.recipe,
        name=package.name,
        version=package.version,
        build=package.build,
        subdir=package.subdir,
        wave=wave,
        action=BuildAction.TAKE,
        reason=f"it was built elsewhere, on {package.built_on}",
        key=package.key,
        not_tested=package.not_tested,
    )


def built_packages(
    session: Session, platforms: Sequence[str], executor: Executor | None, *, check_reproducible: bool
) -> Made[BuildResult]:
    """Build what has changed, and put everything into the release's channel; for errors see `make_builds`."""
    leave_imported(session, platforms)
    work = recipe_work(session, platforms)
    level = strongest_isolation()
    _warn(session, work, level)
    settings = BuildSettings(
        target=work.parts[0].target,
        engines=session.engines,
        cache=session.workspace.cache,
        logs=session.workspace.builds,
        isolate=isolated_by(level, session.options.secrets),
        check_reproducible=check_reproducible,
        may_be_elsewhere=executor is not None,
    )
    parts: list[BuildsDone] = []
    with ThreadPoolExecutor(BUILDS_AT_ONCE) as threads:
        for part in work.parts:
            parts.append(
                build_waves(
                    part.order,
                    replace(settings, target=part.target),
                    sources=part.sources,
                    connection=session.connection,
                    executor=executor or threads,
                    reporter=session.reporter,
                    before=parts[0].packages if parts else (),
                )
            )
    done = BuildsDone(
        packages=(
            *(item for part in parts for item in part.packages),
            *(item.package for item in work.taken),
        ),
        irreproducible=tuple(item for part in parts for item in part.irreproducible),
    )
    for item in done.packages:
        if item.not_tested:
            session.reporter.warn(f"{item.stem} for {item.subdir} was not tested: {item.not_tested}")
    outputs = [output for part in work.parts for wave in part.order.waves for output in wave]
    outputs += [item.output for item in work.taken]
    result = BuildResult(
        packages=done.packages,
        irreproducible=done.irreproducible,
        not_built=work.not_built,
        unneeded=work.unneeded,
        isolated=level is not None and all(item.isolated for item in work.taken),
        asked=tuple(sorted(names_asked(outputs) - {""})),
        made_from=_made_from(done.packages, outputs),
        machine=work.parts[0].target.platform,
    )
    return Made(result=result, outputs=_publish(session, done, work.taken, platforms))


def _made_from(packages: Sequence[BuiltPackage], outputs: Sequence[Output]) -> tuple[BuiltFrom, ...]:
    by_identifier = {output.identifier: output for output in outputs}
    return tuple(
        BuiltFrom(
            sha256=package.sha256,
            recipe=package.recipe,
            recipe_sha256=output.recipe.digest,
            sources=tuple(
                replace(source, urls=tuple(map(clean_url, source.urls))) for source in output.sources
            ),
        )
        for package in packages
        if (output := by_identifier.get(f"{package.stem}@{package.subdir}")) is not None
    )


def _warn(session: Session, work: RecipeWork, level: str | None) -> None:
    for item in work.not_built:
        session.reporter.warn(f"{item.name} is not built for {item.platform}: {item.reason}")
    for name in work.unneeded:
        session.reporter.warn(f"Nothing needs the recipe {name}: neither the manifest nor another recipe")
    if level is None:
        session.reporter.warn("Builds are not isolated and have a network: this machine has no namespaces")


def _publish(
    session: Session, done: BuildsDone, taken: Sequence[TakenBuild], platforms: Sequence[str]
) -> tuple[Path, ...]:
    """Put what was built into the release's channel, and the logs beside it; return all that is new."""
    workspace = session.workspace
    cache = BuildCache(workspace.cache)
    elsewhere = {item.package.sha256: item for item in taken}
    made: list[Path] = []
    with storage_errors(workspace.channel):
        for package in done.packages:
            archive = workspace.channel / package.subdir / package.file_name
            archive.unlink(missing_ok=True)
            log = workspace.builds / package.log
            if package.built_on:
                elsewhere[package.sha256].put(archive, log)
            else:
                link_or_copy(cache.archive(package), archive)
                write_bytes(log, cache.log(package).read_bytes())
            made += (archive, log)
    replaced = _replaced(session, done, platforms)
    index_channel(workspace.channel, platforms, without=replaced, known=session.records)
    repodata = (workspace.channel / subdir / "repodata.json" for subdir in sorted({"noarch", *platforms}))
    return (*made, *repodata)


def _replaced(session: Session, done: BuildsDone, platforms: Sequence[str]) -> frozenset[Path]:
    """Return the archives of wheels in place of which recipes have made a package of the same name.

    A noarch one stays if some platform has nothing else.
    """
    built = {(package.subdir, package.name) for package in done.packages}

    def is_replaced(subdir: str, name: str) -> bool:
        if ("noarch", name) in built:
            return True
        wanted = platforms if subdir == "noarch" else (subdir,)
        return all((platform, name) in built for platform in wanted)

    paths = [session.workspace.folder / name for name, _ in imported_archives(session)]
    return frozenset(path for path in paths if is_replaced(path.parent.name, path.name.rsplit("-", 2)[0]))
