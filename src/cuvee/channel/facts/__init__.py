"""Facts read from package archives: what is in them, and what their binaries need.

Each archive is opened once. What was read is kept in the cache by the archive's SHA-256, so it is never
opened again for the same question.
"""

from cuvee.channel.facts.collect import collect_facts
from cuvee.channel.facts.model import BinaryFacts, FileFacts, PackageFacts, Unreadable

__all__ = ["BinaryFacts", "FileFacts", "PackageFacts", "Unreadable", "collect_facts"]
