"""The finished parts of a check in the cache, so that an interrupted check continues there."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cuvee.codec import Document
from cuvee.errors import IntegrityError
from cuvee.files import fingerprint
from cuvee.graph.channel_check.installability import ClassConflict

_FORMAT = 3  # raise it when the division into parts, or what is found in them, changes


@dataclass(frozen=True, slots=True, kw_only=True)
class _FinishedPart:
    conflicts: tuple[ClassConflict, ...]


_PART = Document(name="channel-check-part", kind=_FinishedPart)


class Checkpoint:
    """The finished parts of one check, a file each.

    Parameters
    ----------
    folder
        The folder of all checks.
    key
        All that the result depends on: the repodata's hash, the platform, its system, what is checked.
    """

    def __init__(self, folder: Path, key: Sequence[str]) -> None:
        self._folder = folder / fingerprint([_FORMAT, *key])

    def load(self) -> dict[int, Sequence[ClassConflict]]:
        """Return what is finished; a part that cannot be read is not."""
        found: dict[int, Sequence[ClassConflict]] = {}
        for path in sorted(self._folder.glob("*.json")):
            try:
                found[int(path.stem)] = _PART.from_bytes(path.read_bytes(), source=str(path)).conflicts
            except (OSError, ValueError, IntegrityError):
                continue
        return found

    def save(self, part: int, found: Sequence[ClassConflict]) -> None:
        """Write what was found in a part."""
        _PART.write(self._folder / f"{part}.json", _FinishedPart(conflicts=tuple(found)))
