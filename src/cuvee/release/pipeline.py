"""The pipeline: one direction, from the manifest to the report; what did not change is not made again."""

import datetime as dt
import importlib.metadata
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.channel.model import Absent
from cuvee.errors import SourceUnreachableError, UsageError
from cuvee.files import fingerprint, write_json
from cuvee.graph.checks import ARCHIVE_CHECKS, CheckOutcome
from cuvee.graph.diff import diff, with_reasons
from cuvee.graph.drawing.exports import FORMATS as GRAPH_FORMATS
from cuvee.graph.findings import Verdict, worst
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.image.model import ImageSigner
from cuvee.installers.artefact import Artefact
from cuvee.integration.outcomes import PlatformRun
from cuvee.lock.model import Lock
from cuvee.manifest.model import Manifest
from cuvee.progress import Reporter
from cuvee.release.artefacts import Archives, image_stage, installer_stage, run_tests
from cuvee.release.context import Context
from cuvee.release.facts import Look, look_into
from cuvee.release.inputs import plain, whole_manifest
from cuvee.release.packages import channel_stage, check_stage, lock_stage, with_decoder
from cuvee.release.pictures import write_release
from cuvee.release.sums import write_sums
from cuvee.release.workspace import Workspace
from cuvee.report.model import ReportInput, Stage
from cuvee.report.readiness import readiness, verdict
from cuvee.report.write import write_report

_TOOLS = ("cuvee", "py-rattler", "uv", "networkx", "zstandard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run of the pipeline came to; stages that were not asked for have left nothing.

    Attributes
    ----------
    folder
        The release folder.
    verdict
        The worst of findings and outcomes.
    """

    manifest: Manifest
    folder: Path
    lock: Lock
    absent: tuple[Absent, ...]
    checks: tuple[CheckOutcome, ...] = ()
    artefacts: tuple[Artefact, ...] = ()
    runs: tuple[PlatformRun, ...] = ()
    stages: tuple[Stage, ...] = ()
    verdict: Verdict = Verdict.READY
    report: ReportInput | None = None


def open_release(
    manifest: Manifest,
    *,
    dist: Path,
    cache: Path,
    now: dt.datetime,
    reporter: Reporter,
    platforms: Sequence[str] = (),
    refresh: bool = False,
    emulate: bool = False,
    recorded_only: bool = False,
    signer: ImageSigner | None = None,
    publish: bool = False,
) -> Context:
    """Make the context of one run.

    Parameters
    ----------
    platforms
        Those to make; none means all that the manifest wants.
    signer
        Signs images and sums.
    publish
        Make installers as small as they get, however long that takes.

    Raises
    ------
    UsageError
        If the manifest does not want one of ``platforms``.
    SourceUnreachableError
        If only recorded results are wanted, and there are none.
    """
    wanted = tuple(entry.name for entry in manifest.present_platforms)
    unknown = [name for name in platforms if name not in wanted]
    if unknown:
        raise UsageError(
            f"{manifest.release_name} is not made for {', '.join(unknown)}",
            hint=f"It is made for {', '.join(wanted)}.",
        )
    folder = dist.resolve() / manifest.release_name
    if recorded_only and not folder.is_dir():
        raise SourceUnreachableError(
            f"{manifest.release_name} has not been cut: there is no {folder}",
            hint=f"Run `cuvee release {manifest.path}` first.",
        )
    return Context(
        manifest=with_decoder(manifest),
        workspace=Workspace(folder, cache.resolve()),
        platforms=tuple(name for name in wanted if not platforms or name in platforms),
        now=now,
        refresh=refresh,
        emulate=emulate,
        recorded_only=recorded_only,
        signer=signer,
        publish=publish,
        reporter=reporter,
    )


def make_lock(context: Context) -> Result:
    """Run the pipeline up to the lock."""
    absent = channel_stage(context)
    lock = lock_stage(context, absent)
    return Result(
        manifest=context.manifest,
        folder=context.workspace.folder,
        lock=lock,
        absent=absent,
        stages=tuple(context.stages),
    )


def check(
    context: Context,
    *,
    left_out: Collection[str] = (),
    look: Look = Look.AT_HAND,
    archives: Archives | None = None,
) -> Result:
    """Run the pipeline up to the checks, but for those ``left_out``.

    Parameters
    ----------
    look
        How far to go into archives.
    archives
        Those of this run, if others need them as well.
    """
    result = make_lock(context)
    if all(item.identifier in left_out for item in ARCHIVE_CHECKS):
        look = Look.NOT
    elif look is Look.NOT:
        left_out = {*left_out, *(item.identifier for item in ARCHIVE_CHECKS)}
    # A release needs every archive; to those who only ask, one that is gone is a finding.
    strict = archives is not None
    facts = look_into(context, result.lock, archives or Archives(context), look, strict=strict)
    checks = check_stage(context, result.lock, result.absent, left_out=left_out, facts=facts)
    verdict = worst(finding.verdict for item in checks for finding in item.findings)
    return replace(result, checks=checks, verdict=verdict)


def graph_of(result: Result) -> ReleaseGraph:
    """Give the graph of what has been locked."""
    return build_graph(result.manifest, result.lock, result.absent)


def test(context: Context) -> Result:
    """Run the pipeline up to the tests; a set that its checks block is not built."""
    archives = Archives(context)
    look = Look.AT_HAND if context.recorded_only else Look.FETCH
    result = check(context, look=look, archives=archives)
    if result.verdict.exit_code:
        return result
    artefacts: tuple[Artefact, ...] = ()
    runs: tuple[PlatformRun, ...] = ()
    for platform in result.lock.platforms:
        image_stage(context, platform, archives)
        made = installer_stage(context, platform)
        artefacts += made
        runs += (run_tests(context, platform, made, archives),)
    findings = [finding for item in result.checks for finding in item.findings]
    total = verdict(findings, runs, platforms=result.lock.by_platform)
    return replace(result, artefacts=artefacts, runs=runs, stages=tuple(context.stages), verdict=total)


def release(context: Context) -> Result:
    """Run the whole pipeline, and write the report and the release's record."""
    result = test(context)
    data = report_input(context, result)
    result = replace(result, verdict=readiness(data, {}).verdict, report=data)
    if not context.recorded_only:
        write_release(graph_of(result), data.findings, context.workspace.pictures, ("svg", *GRAPH_FORMATS))
    write_report(data, context.workspace.report)
    _write_record(context, result, data)
    return result


def report_input(context: Context, result: Result) -> ReportInput:
    """Gather what the report tells."""
    manifest, base = context.manifest, context.manifest.base
    changes = None
    if base is not None and context.base_lock is not None:
        changes = with_reasons(
            diff(
                context.base_lock,
                result.lock,
                requested_before={package.name for package in base.packages},
                requested_after={package.name for package in manifest.packages},
            ),
            context.base_lock,
            result.lock,
            requirements_before=base.packages,
            requirements_after=manifest.packages,
        )
    return ReportInput(
        manifest=manifest,
        lock=result.lock,
        absent=result.absent,
        findings=tuple(finding for item in result.checks for finding in item.findings),
        runs=result.runs,
        artefacts=result.artefacts,
        base=base.release_name if base is not None else None,
        changes=changes,
        made_at=context.now,
        tools=tool_versions(),
        stages=tuple(context.stages),
        inputs_hash=fingerprint([whole_manifest(manifest), [stage.inputs for stage in context.stages]]),
        results=context.workspace.results,
    )


def tool_versions() -> dict[str, str]:
    """Give the versions of what makes a release."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    return found | {name: importlib.metadata.version(name) for name in _TOOLS}


def _write_record(context: Context, result: Result, data: ReportInput) -> None:
    folder = context.workspace.folder
    write_json(
        folder / "release.json",
        {
            "release": result.manifest.release_name,
            "verdict": result.verdict.value,
            "made_at": context.now.isoformat(timespec="seconds"),
            "inputs_hash": data.inputs_hash,
            "platforms": [item.platform for item in result.lock.platforms],
            "absent": plain(result.absent),
            "tools": data.tools,
            "stages": plain(data.stages),
            "artefacts": plain(result.artefacts),
        },
    )
    write_sums(folder, result.artefacts, context.signer)
