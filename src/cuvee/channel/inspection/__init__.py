"""Inspection of package archives: what is in them, and what their binaries need.

Each archive is read once: what was found is cached by the archive's SHA-256.
"""

from cuvee.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cuvee.channel.inspection.inspect_release import inspect_archives
    from cuvee.channel.inspection.model import ArchiveContents, ArchivedFile, Binary, UnreadableArchive

__all__ = ["ArchiveContents", "ArchivedFile", "Binary", "UnreadableArchive", "inspect_archives"]
__getattr__ = lazy_names(
    __name__,
    {
        "inspect_release": ("inspect_archives",),
        "model": ("ArchiveContents", "ArchivedFile", "Binary", "UnreadableArchive"),
    },
)
