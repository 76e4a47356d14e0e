"""Where the tools come from that ride beside a release in its tests: its own channels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cuvee.channel.archive_download import all_or_raise, fetch_archives
from cuvee.conda.package_record import LockedPackage
from cuvee.integration.riding_tools import RidingTools
from cuvee.integration.tool_sets import ToolSources
from cuvee.lock.model import PlatformLock
from cuvee.progress import SILENT
from cuvee.release.lock_stage import own_channel
from cuvee.release.session import Session


def riding_tools(session: Session, lock: PlatformLock) -> RidingTools:
    """Return what brings tools for a platform; nothing is fetched before a test needs it."""
    manifest, workspace = session.manifest, session.workspace

    def fetch(packages: Sequence[LockedPackage]) -> Mapping[str, Path]:
        return all_or_raise(
            fetch_archives(
                packages,
                release=workspace.folder,
                cache=workspace.cache,
                connection=session.connection,
                reporter=SILENT,
            )
        )

    sources = ToolSources(
        platform=next(item for item in manifest.present_platforms if item.name == lock.platform),
        channels=manifest.channels,
        own_channel=own_channel(session),
        exclude_newer=manifest.exclude_newer if manifest.channels else None,
        connection=session.connection,
        fetch=fetch,
    )
    return RidingTools(lock=lock, source=sources, cache=workspace.cache / "rattler")
