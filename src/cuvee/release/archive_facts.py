"""What a release records of the archives that its checks have looked into."""

from packaging.utils import canonicalize_name

from cuvee.channel.inspection.model import ArchiveContents
from cuvee.conda.project_links import ProjectLink, merged
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.release.record import ArchiveFacts


def archive_facts(graph: ReleaseGraph) -> tuple[ArchiveFacts, ...]:
    """Return the facts of each archive that was read, sorted by hash."""
    found = {
        contents.sha256: contents
        for platform in graph.platforms
        if platform.contents is not None
        for contents in platform.contents.archives.values()
    }
    return tuple(
        ArchiveFacts(
            sha256=sha256,
            files=sum(file.file_type != "directory" for file in contents.files),
            unpacked=sum(file.size or 0 for file in contents.files),
            links=_links(contents),
        )
        for sha256, contents in sorted(found.items())
    )


def _links(contents: ArchiveContents) -> tuple[ProjectLink, ...]:
    """Return what a project says of itself, then what the recipe of its package does.

    A package may bring distributions of other projects; theirs are not its links.
    """
    name = canonicalize_name(contents.index.name)
    own = [item for item in contents.distributions if item.name == name]
    if not own and len(contents.distributions) == 1:
        own = list(contents.distributions)
    return merged(*(item.links for item in own), contents.links)
