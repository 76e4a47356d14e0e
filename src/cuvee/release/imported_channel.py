"""The channel that builds take packages from: what was imported for the release, and nothing that was built.

It is beside the release's own channel, to which builds are added. A run that leaves out the platform of this
machine has nothing imported for it: then this has as much as building noarch packages takes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from cuvee.build.environments import link_or_copy
from cuvee.channel.connection import package_names
from cuvee.channel.model import Absent
from cuvee.channel.repodata_writer import index_channel, record_of, write_repodata
from cuvee.conda.package_record import OWN_CHANNEL
from cuvee.errors import BlockedError
from cuvee.files import parse_json, replacing_folder, storage_errors
from cuvee.release.package_request import imported_archives, kept_lock, versions
from cuvee.release.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedChannel:
    """A channel of its own.

    Attributes
    ----------
    root
        The folder that the channel is in, as a release's own channel is in the release folder.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """The channel."""
        return self.root / OWN_CHANNEL


def imported_channel(
    session: Session, platforms: Sequence[str], *, root: Path | None = None
) -> ImportedChannel:
    """Return the channel of what the channel stage has imported, in a folder of its own or in ``root``."""
    channel = ImportedChannel(root=root or session.workspace.imports)
    names = [Path(path) for path, _ in imported_archives(session)]
    with replacing_folder(channel.folder) as folder:
        for name in names:
            link_or_copy(session.workspace.folder / name, folder / name.parent.name / name.name)
        subdirs = sorted({"noarch", *platforms})
        for subdir in subdirs:
            wanted = {name.name for name in names if name.parent.name == subdir}
            records = _records(session.workspace.channel / subdir, wanted)
            if records is None:
                index_channel(folder, platforms)
                break
            write_repodata(folder, subdir, records)
    return channel


def _records(folder: Path, names: Collection[str]) -> Mapping[str, Mapping[str, object]] | None:
    """Return what repodata says of archives, and of those that it leaves out, what they say; else `None`."""
    try:
        known = parse_json((folder / "repodata.json").read_bytes())["packages.conda"]
        return {name: known[name] if name in known else record_of(folder / name) for name in sorted(names)}
    except (OSError, ValueError, LookupError, TypeError):
        return None


def guest_channel(session: Session, platform: str, names: Collection[str]) -> ImportedChannel:
    """Return a channel for builds on ``platform``, which the run itself does not make.

    Parameters
    ----------
    names
        What the builds ask for; those that the manifest imports as wheels are imported, with what they need.

    Raises
    ------
    BlockedError
        If no interpreter for the platform can be had.
    """
    from cuvee.channel.interpreter import pack_interpreters
    from cuvee.channel.wheels import import_wheels, wheel_requests

    manifest, cache = session.manifest, session.workspace.cache
    channel = ImportedChannel(root=session.workspace.imports)
    carried = package_names(manifest.channels, [platform], session.connection)
    with replacing_folder(channel.folder) as folder:
        if manifest.interpreter is not None and "python" not in carried:
            (found,) = pack_interpreters([platform], cache=cache, reporter=session.reporter)
            if isinstance(found, Absent):
                raise BlockedError(
                    f"Recipes are built on {platform}, the platform of this machine, and it has no "
                    f"interpreter: {found.reason}",
                    hint=found.hint,
                )
            link_or_copy(found.archive, folder / platform / found.archive.name)
            wanted = {canonicalize_name(name) for name in names}
            wheels = [item.name for item in manifest.wheels if canonicalize_name(item.name) in wanted]
            floors = {item.name: item.floor for item in manifest.present_platforms}
            if wheels:
                import_wheels(
                    wheel_requests(manifest, wheels),
                    {platform: found},
                    floors,
                    folder=folder,
                    cache=cache,
                    exclude_newer=manifest.exclude_newer,
                    carried=carried,
                    prefer=versions(kept_lock(session)),
                    patched=session.patches,
                    reporter=session.reporter,
                )
        index_channel(folder, [platform])
    return channel


def leave_imported(session: Session, platforms: Sequence[str]) -> None:
    """Leave only imported packages in the release's channel: an earlier run may have built others."""
    folder = session.workspace.channel
    made = {path for path, _ in imported_archives(session)}
    with storage_errors(folder):
        others = [
            path
            for path in folder.glob("*/*.conda")
            if path.relative_to(session.workspace.folder).as_posix() not in made
        ]
        for path in others:
            path.unlink()
    if others:
        index_channel(folder, platforms)
