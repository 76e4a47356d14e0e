"""The channel, lock and check stages: from a manifest to a proved set of packages."""

import os
import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from cuvee.channel.connection import package_names
from cuvee.channel.inspection.inspect_release import Inspection
from cuvee.channel.model import Absent, Interpreter
from cuvee.channel.repodata_writer import index_channel
from cuvee.errors import BlockedError, SourceUnreachableError, UnsolvableError
from cuvee.files import replacing_folder, sha256_file, write_json, write_text
from cuvee.graph.checks import ALL_CHECKS, CheckOutcome, missing_names, run_checks, verify_settings
from cuvee.graph.explain import explainer
from cuvee.graph.release_graph import build_graph
from cuvee.image.python_paths import DECODERS
from cuvee.lock.available_records import Carried, available_records
from cuvee.lock.lock_exports import explicit
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock, write_lock
from cuvee.lock.solve import problem_of, solve
from cuvee.manifest.model import Manifest, Requirement, WheelRequirement
from cuvee.release.certificates import write_certificate
from cuvee.release.context import Context, Made
from cuvee.release.inputs import host_interpreter, package_inputs, plain


def with_decoder(manifest: Manifest) -> Manifest:
    """Add to the set what its installers need to unpack themselves, if the manifest does not name it.

    They unpack with the release's own interpreter, which knows zstd by itself only from Python 3.14 on.
    """
    wants_installers = any(manifest.installers.formats.values())
    if not wants_installers or any(package.name in DECODERS for package in manifest.packages):
        return manifest
    position = manifest.sources.get("installers") or manifest.sources["distribution"]
    platforms = tuple(entry.name for entry in manifest.present_platforms)
    decoder = Requirement(name=DECODERS[0], groups=("installer",), platforms=platforms, position=position)
    wheels = (
        (*manifest.wheels, WheelRequirement(name=DECODERS[0], position=position))
        if manifest.interpreter
        else manifest.wheels
    )
    packages = sorted((*manifest.packages, decoder), key=lambda package: package.name)
    return replace(manifest, packages=tuple(packages), wheels=wheels)


def channel_stage(context: Context) -> tuple[Absent, ...]:
    """Make the packages that no channel carries; give the platforms that can not be made here."""
    manifest = context.manifest
    inputs = [
        package_inputs(manifest),
        context.platforms,
        host_interpreter() if manifest.interpreter else None,
    ]
    record = context.stage("channel", inputs, lambda: _make_channel(context), again=context.refresh)
    absent = tuple(Absent(**value) for value in record.facts["absent"])
    left_out = [entry.name for entry in manifest.present_platforms if entry.name not in context.platforms]
    return absent + tuple(
        Absent(platform=name, reason="this run did not ask for it", by_choice=True) for name in left_out
    )


def _make_channel(context: Context) -> Made:
    manifest, workspace = context.manifest, context.workspace
    carried = package_names(manifest.channels, context.platforms, context.connection)
    interpreters, absent = _interpreters(context, carried)
    platforms = [name for name in context.platforms if name not in {item.platform for item in absent}]
    if not platforms:
        reasons = "\n".join(f"  {item.platform}: {item.reason}" for item in absent)
        raise BlockedError(
            f"No platform of {manifest.release_name} can be made here\n{reasons}", hint=absent[0].hint
        )
    with replacing_folder(workspace.channel) as folder:
        for item in interpreters:
            place(item.archive, folder / item.platform)
        imported = _import_wheels(context, carried, interpreters, folder)
        index_channel(folder, platforms)
    return Made(
        outputs=(workspace.channel,),
        facts={
            "absent": plain(absent),
            "interpreters": {item.platform: [item.version, item.origin] for item in interpreters},
            "imported": imported,
        },
    )


def _interpreters(context: Context, carried: frozenset[str]) -> tuple[list[Interpreter], list[Absent]]:
    if context.manifest.interpreter is None or "python" in carried:
        return [], []
    from cuvee.channel.interpreter import pack_interpreters

    packed = pack_interpreters(context.platforms, cache=context.workspace.cache, reporter=context.reporter)
    found = [item for item in packed if isinstance(item, Interpreter)]
    return found, [item for item in packed if isinstance(item, Absent)]


def _import_wheels(
    context: Context, carried: frozenset[str], interpreters: list[Interpreter], folder: Path
) -> int:
    names = [wheel.name for wheel in context.manifest.wheels if wheel.name not in carried]
    if not names:
        return 0
    from cuvee.channel.wheels import import_wheels, wheel_requests

    by_platform = {item.platform: item for item in interpreters}
    if not by_platform:
        raise BlockedError(
            f"No channel carries {', '.join(names)}, and wheels need an interpreter that cuvee packs",
            hint="Say `interpreter: host` in the manifest, or add a channel that carries them.",
        )
    return len(
        import_wheels(
            wheel_requests(context.manifest, names),
            by_platform,
            {entry.name: entry.floor for entry in context.manifest.present_platforms},
            folder=folder,
            cache=context.workspace.cache,
            exclude_newer=context.manifest.exclude_newer,
            carried=carried,
            prefer=_versions(context.base_lock),
            reporter=context.reporter,
        )
    )


def _versions(base: Lock | None) -> dict[str, dict[str, str]]:
    """Give the versions of the base release, which a point release keeps unless it states others."""
    locks = base.platforms if base is not None else ()
    return {lock.platform: {package.name: package.version for package in lock.packages} for lock in locks}


def place(archive: Path, folder: Path) -> None:
    """Put an archive into a folder: a hard link where the disk allows it, a copy elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / archive.name
    try:
        os.link(archive, target)
    except OSError:
        shutil.copyfile(archive, target)


def lock_stage(context: Context, absent: tuple[Absent, ...]) -> Lock:
    """Solve every platform that can be made, and write the lock and its exports."""
    workspace = context.workspace
    repodata = [sha256_file(path) for path in sorted(workspace.channel.glob("*/repodata.json"))]
    platforms = [name for name in context.platforms if name not in {item.platform for item in absent}]
    inputs = [
        package_inputs(context.manifest),
        platforms,
        repodata,
        context.manifest.release_name,
        _versions(context.base_lock),
    ]
    context.stage("lock", inputs, lambda: _make_lock(context, platforms), again=context.refresh)
    workspace.conflict_file.unlink(missing_ok=True)
    by_platform = read_lock(workspace.lock_file).by_platform
    return Lock(platforms=tuple(by_platform[name] for name in platforms if name in by_platform))


def _make_lock(context: Context, platforms: list[str]) -> Made:
    manifest, path = context.manifest, context.workspace.lock_file
    task = "Solving"
    context.reporter.start(task)
    own = context.workspace.channel if any(context.workspace.channel.glob("*/*.conda")) else None
    problem = problem_of(manifest, platforms=platforms, own_channel=own, keep=context.base_lock)
    try:
        lock = solve(
            problem, context.connection, explain=explainer(manifest.sources, reporter=context.reporter)
        )
    except UnsolvableError as error:
        write_json(context.workspace.conflict_file, error.details)
        raise
    write_lock(lock, path, channels=manifest.channels, release_name=manifest.release_name)
    exports = []
    for item in lock.platforms:
        exports.append(path.with_name(f"{item.platform}.explicit.txt"))
        write_text(exports[-1], explicit(item, release_name=manifest.release_name))
    counts = ", ".join(f"{len(item.packages)} on {item.platform}" for item in lock.platforms)
    context.reporter.finish(task, note=counts)
    return Made(outputs=(path, *exports))


def _carried(context: Context, names: frozenset[str]) -> Carried:
    """Ask the channels for what the lock lacks; if they can not be asked, the finding says less."""
    own = [str(context.workspace.channel)] if context.workspace.channel.is_dir() else []
    sources = [*context.manifest.channels, *own]
    if not names or not sources:
        return {}
    try:
        return available_records(sources, context.platforms, names, context.connection)
    except SourceUnreachableError as error:
        context.reporter.say(f"check: what channels carry is not known: {error.message}")
        return {}


def check_stage(
    context: Context,
    lock: Lock,
    absent: tuple[Absent, ...],
    *,
    left_out: Collection[str] = (),
    facts: Inspection | None = None,
) -> tuple[CheckOutcome, ...]:
    """Run every check; the findings are written beside the lock. It takes no time, so it always runs.

    With checks ``left_out`` nothing is written: what is recorded of a release is the whole of it.

    Parameters
    ----------
    facts
        What is known of each archive; without them the checks that look into archives are skipped.
    """
    verify_settings(context.manifest, ALL_CHECKS)
    graph = build_graph(
        context.manifest, lock, absent, base=context.base_lock, today=context.now, facts=facts
    )
    graph = replace(graph, carried=_carried(context, missing_names(graph)))
    results = run_checks(graph, ALL_CHECKS, left_out=left_out)
    if left_out:
        return results
    write_json(context.workspace.findings_file, plain(results))
    write_certificate(context.workspace, graph, results)
    return results
