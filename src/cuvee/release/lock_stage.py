"""The lock stage: every platform that can be made is solved, and the lock and its exports are written."""

from pathlib import Path

from cuvee.codec import encode
from cuvee.errors import UnsolvableError
from cuvee.files import sha256_file, write_json, write_text
from cuvee.lock.lock_exports import explicit
from cuvee.lock.pixi_lock import read_lock, write_lock
from cuvee.lock.solve import problem_of, solve
from cuvee.release.artefacts import ArtefactKind
from cuvee.release.package_request import base_fingerprint, kept_lock, package_inputs, request_of
from cuvee.release.record import BuildResult, ChannelResult, LockResult
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage, artefacts_of, finished

_VERSION = "2"
"""Changes with what the stage writes; until then another cuvee solves nothing again."""


def make_lock(session: Session, channel: ChannelResult, built: BuildResult | None = None) -> LockResult:
    """Run the stage; what it makes is in ``lock/`` of the release folder.

    Raises
    ------
    UnsolvableError
        If there is no solution; why is written to ``checks/conflict.json``, too.
    """
    workspace = session.workspace
    absent = {item.platform for item in channel.absent}
    platforms = [name for name in session.platforms if name not in absent]
    stage = Stage(
        name="lock",
        inputs=[
            package_inputs(session.manifest, session.additions),
            encode(platforms),
            [sha256_file(path) for path in sorted(workspace.channel.glob("*/repodata.json"))],
            session.manifest.release_name,
            base_fingerprint(session.base_lock),
            session.manifest.channel_url,
            *(["what is built comes first"] if session.manifest.recipes else []),
            *([encode(_specs(built))] if built is not None and built.packages else []),
        ],
        run=lambda: _make(session, platforms, built),
        load=lambda kept: LockResult(
            lock=read_lock(workspace.lock_file).in_order(platforms), artefacts=artefacts_of(kept)
        ),
        request=request_of(session.manifest),
        base=base_fingerprint(session.base_lock),
        version=_VERSION,
    )
    done = session.make(stage, again=session.options.refresh)
    if not session.unsolved:
        workspace.conflict_file.unlink(missing_ok=True)
    return finished(done)


def own_channel(session: Session) -> Path | None:
    """Return the release's own channel, if it has packages."""
    folder = session.workspace.channel
    return folder if any(folder.glob("*/*.conda")) else None


def _specs(built: BuildResult) -> dict[str, dict[str, str]]:
    """Return the exact spec of each package that was built, by subdir and name."""
    found: dict[str, dict[str, str]] = {}
    for item in built.packages:
        found.setdefault(item.subdir, {})[item.name] = f"{item.name} =={item.version} {item.build}"
    return found


def _make(session: Session, platforms: list[str], built: BuildResult | None) -> Made[LockResult]:
    from cuvee.graph.explain import explainer

    manifest, workspace = session.manifest, session.workspace
    if manifest.base is not None and session.base_lock is None:
        session.reporter.warn(
            f"lock: the lock of {manifest.base.release_name} was not found, so its versions are not kept; "
            "name it with --base"
        )
    task = "Solving"
    session.reporter.start(task)
    problem = problem_of(
        manifest,
        platforms=platforms,
        own_channel=own_channel(session),
        additions=session.additions,
        keep=kept_lock(session),
        built=_specs(built) if built is not None else {},
    )
    try:
        lock = solve(
            problem,
            session.connection,
            explain=explainer(
                manifest.sources,
                imports=manifest.interpreter is not None,
                whole=session.options.verbose,
                reporter=session.reporter,
            ),
        )
    except UnsolvableError as error:
        write_json(workspace.conflict_file, error.details)
        raise
    name = manifest.release_name
    url = manifest.channel_url
    here = workspace.channel.absolute().as_uri()
    write_lock(lock, workspace.lock_file, channels=manifest.channels, own_channel=url or here)
    lists = {item.platform: workspace.package_list(item.platform) for item in lock.platforms}
    for item in lock.platforms:
        named = item.published(url) if url else item
        write_text(lists[item.platform], explicit(named, release_name=name))
    counts = ", ".join(f"{len(item.packages)} on {item.platform}" for item in lock.platforms)
    session.reporter.finish(task, note=counts)
    artefacts = (
        workspace.artefact(workspace.lock_file, ArtefactKind.LOCK),
        *(
            workspace.artefact(path, ArtefactKind.PACKAGE_LIST, platform=platform)
            for platform, path in lists.items()
        ),
    )
    result = LockResult(lock=lock, artefacts=artefacts)
    return Made(result=result, outputs=(workspace.lock_file, *lists.values()), kept=encode(artefacts))
