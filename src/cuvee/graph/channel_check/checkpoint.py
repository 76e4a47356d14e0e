"""What a check has finished, kept in the cache, so that it goes on where it was interrupted."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cuvee.files import fingerprint, write_bytes
from cuvee.graph.channel_check.installability import ClassConflict

_FORMAT = 1  # raise it when the parts or what is found in them changes


class Checkpoint:
    """The finished parts of one check, a file each.

    Parameters
    ----------
    folder
        Where the states of all checks are.
    key
        All that the answer depends on: the repodata's hash, the platform, its system, what is asked.
    """

    def __init__(self, folder: Path, key: Sequence[str]) -> None:
        self._folder = folder / fingerprint([_FORMAT, *key])

    def load(self) -> dict[int, Sequence[ClassConflict]]:
        """Give what is finished; a part that can not be read is not."""
        found: dict[int, Sequence[ClassConflict]] = {}
        for path in sorted(self._folder.glob("*.json")):
            try:
                found[int(path.stem)] = [_stuck(item) for item in json.loads(path.read_bytes())]
            except (OSError, ValueError, TypeError, KeyError, RecursionError):
                continue
        return found

    def save(self, part: int, found: Sequence[ClassConflict]) -> None:
        """Keep what was found in a part."""
        plain = [[item.item, item.needs, item.allows, item.itself] for item in found]
        write_bytes(self._folder / f"{part}.json", json.dumps(plain, separators=(",", ":")).encode())


def _stuck(value: Any) -> ClassConflict:
    item, needs, allows, itself = value
    numbers = [item, *needs, *allows]
    if not all(isinstance(number, int) and number >= 0 for number in numbers) or not (
        needs or allows or itself
    ):
        raise ValueError("not what was saved")
    return ClassConflict(item=item, needs=tuple(needs), allows=tuple(allows), itself=bool(itself))
