"""The channel stage: packages that no channel carries are made from interpreters and wheels."""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from cuvee.channel.content_versions import CONTENT_VERSION, CONVERTER
from cuvee.channel.model import Absent, Interpreter
from cuvee.channel.repodata_writer import index_channel
from cuvee.codec import Json
from cuvee.errors import BlockedError, ManifestError
from cuvee.files import replacing_folder, sha256_file
from cuvee.manifest.model import Requirement, WheelRequirement
from cuvee.release.package_request import (
    base_fingerprint,
    kept_lock,
    package_inputs,
    request_of,
    versions,
)
from cuvee.release.record import ChannelResult
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage, finished

if TYPE_CHECKING:
    from cuvee.channel.wheels import ImportedPackage, WheelGathering

_VERSION = f"1 {CONVERTER} {CONTENT_VERSION}"
"""Changes with what the stage writes; until then another cuvee resolves and converts nothing again."""


def make_channel(session: Session) -> ChannelResult:
    """Run the stage; what it makes is in ``channel/`` of the release folder.

    Raises
    ------
    BlockedError
        If no platform of the manifest can be made on this host.
    """
    manifest = session.manifest
    stage = Stage.of(
        "channel",
        [
            package_inputs(manifest, session.additions),
            list(session.platforms),
            _host_interpreter() if manifest.interpreter else None,
            base_fingerprint(session.base_lock),
            *(["recipes"] if manifest.recipes else []),
            *([f"{item.digest} tested" for item in session.patches]),
        ],
        lambda: _make(session),
        ChannelResult,
        request=request_of(manifest),
        version=_VERSION,
    )
    done = session.make(stage, again=session.options.refresh)
    by_choice = [
        Absent(platform=entry.name, reason="this run did not ask for it", by_choice=True)
        for entry in manifest.present_platforms
        if entry.name not in session.requested_platforms
    ]
    result = finished(done)
    return replace(result, absent=(*result.absent, *by_choice))


def _host_interpreter() -> Json:
    """Return what identifies the interpreter that this process runs on."""
    executable = Path(sys.executable).resolve()
    return [sys.version, str(executable), sha256_file(executable)]


def _make(session: Session) -> Made[ChannelResult]:
    from cuvee.channel.connection import package_names
    from cuvee.channel.wheels import import_gathered
    from cuvee.release.patched_wheel_tests import tested_wheels

    manifest, workspace = session.manifest, session.workspace
    carried = package_names(manifest.channels, session.platforms, session.connection)
    with ExitStack() as stack:
        names = _imported_names(session, carried)
        gathering = stack.enter_context(_gathering(session, carried, names)) if names else None
        interpreters, absent = _interpreters(session, carried, gathering)
        if gathering is not None:
            session.while_asking()
        platforms = [name for name in session.platforms if name not in {item.platform for item in absent}]
        if not platforms:
            reasons = "\n".join(f"  {item.platform}: {item.reason}" for item in absent)
            raise BlockedError(
                f"No platform of {manifest.release_name} can be made here\n{reasons}", hint=absent[0].hint
            )
        folder = stack.enter_context(replacing_folder(workspace.channel))
        for item in interpreters:
            _link_or_copy(item.archive, folder / item.platform)
        imported: tuple[ImportedPackage, ...] = ()
        if gathering is not None:
            pythons = _pythons(session, interpreters, names)
            imported = import_gathered(gathering, pythons, folder=folder, patched=session.patches)
            session.resolved = gathering.resolved
        session.records |= {str(item.record["sha256"]): item.record for item in imported}
        index_channel(folder, platforms, known=session.records)
        patched = tested_wheels(session, imported, folder, platforms)
    result = ChannelResult(
        absent=tuple(absent),
        interpreters=tuple(interpreters),
        imported=len(imported),
        patched=patched,
    )
    # With recipes, the build stage adds packages, and writes the repodata again.
    archives = sorted(workspace.channel.glob("*/*.conda")) if manifest.recipes else []
    return Made(result=result, outputs=tuple(archives) if manifest.recipes else (workspace.channel,))


def _interpreters(
    session: Session, carried: frozenset[str], gathering: "WheelGathering | None"
) -> tuple[list[Interpreter], list[Absent]]:
    if session.manifest.interpreter is None or "python" in carried:
        return [], []
    from cuvee.channel.interpreter import pack_interpreters

    packed = pack_interpreters(
        session.platforms,
        cache=session.workspace.cache,
        reporter=session.reporter,
        found=gathering.begin if gathering is not None else lambda *_: None,
    )
    found = [item for item in packed if isinstance(item, Interpreter)]
    return found, [item for item in packed if isinstance(item, Absent)]


def _imported_names(session: Session, carried: frozenset[str]) -> list[str]:
    """Return the projects that are imported as wheels: those that no channel carries, and patched ones."""
    manifest = session.manifest
    added = [WheelRequirement(name=item.name, position=item.position) for item in session.additions]
    wheels = (*manifest.wheels, *(added if manifest.interpreter else ()))
    if not wheels and not session.patched_wheels:
        return []
    from cuvee.channel.wheels.conda_names import by_project

    of_channels = by_project(_of_channels(session, carried))
    for item in (*manifest.packages, *manifest.constraints):
        _check_spelling(item, of_channels, wheels)
    names = [wheel.name for wheel in wheels if canonicalize_name(wheel.name) not in of_channels]
    return [*names, *session.patched_wheels.difference(names)]


def _of_channels(session: Session, carried: frozenset[str]) -> frozenset[str]:
    """Return what channels carry, but for what is patched: that is made here, whatever they have of it."""
    patched = {canonicalize_name(name) for name in session.patched_wheels}
    return frozenset(name for name in carried if canonicalize_name(name) not in patched)


def _gathering(session: Session, carried: frozenset[str], names: Sequence[str]) -> "WheelGathering":
    from cuvee.channel.wheels import WheelGathering, wheel_requests

    manifest = session.manifest
    return WheelGathering(
        requests=wheel_requests(manifest, names, session.additions),
        floors={entry.name: entry.floor for entry in manifest.present_platforms},
        cache=session.workspace.cache,
        exclude_newer=manifest.exclude_newer,
        carried=_of_channels(session, carried),
        prefer=versions(kept_lock(session)),
        reporter=session.reporter,
    )


def _pythons(
    session: Session, interpreters: list[Interpreter], names: Sequence[str]
) -> dict[str, Interpreter]:
    """Return the interpreter of each platform that wheels are for.

    Patched wheels may be for one of a channel: the base has it, and the release keeps it if it can.
    """
    by_platform = {item.platform: item for item in interpreters}
    if by_platform:
        return by_platform
    wheels = ", ".join(sorted(names))
    if not session.patched_wheels.issuperset(names):
        raise BlockedError(
            f"No channel carries {wheels}, and wheels need an interpreter that cuvee packs",
            hint="Say `interpreter: host` in the manifest, or add a channel that carries them.",
        )
    known = versions(kept_lock(session))
    found = {
        name: Interpreter(platform=name, version=known[name]["python"], origin="a channel")
        for name in session.platforms
        if "python" in known.get(name, {})
    }
    if not found:
        raise BlockedError(
            f"Which Python the patched wheels {wheels} are for is not known: no lock of a base says it",
            hint="State `based-on`, and name the base's release folder or lock with `--base`.",
        )
    return found


def _check_spelling(
    item: Requirement, of_channels: Mapping[str, Sequence[str]], wheels: Iterable[WheelRequirement]
) -> None:
    """Raise if a project of `wheels` is requested by a name that no channel has, and they have another."""
    project = canonicalize_name(item.name)
    known = of_channels.get(project, ())
    if known and item.name not in known and any(canonicalize_name(one.name) == project for one in wheels):
        raise ManifestError(
            f"{item.position}: the channels have this project as {' and '.join(known)}, not as {item.name}",
            hint=f"Write {known[0]} there.",
        )


def _link_or_copy(archive: Path, folder: Path) -> None:
    """Put an archive into a folder: a hard link where the disk allows it, a copy elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / archive.name
    try:
        os.link(archive, target)
    except OSError:
        shutil.copyfile(archive, target)
