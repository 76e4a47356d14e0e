"""Inspection of package archives: what is in them, and what their binaries need.

Each archive is read once: what was found is cached by the archive's SHA-256.
"""

from cuvee.channel.inspection.inspect_release import inspect_archives
from cuvee.channel.inspection.model import ArchiveContents, ArchivedFile, Binary, UnreadableArchive

__all__ = ["ArchiveContents", "ArchivedFile", "Binary", "UnreadableArchive", "inspect_archives"]
