"""What units leave behind in the release's prefix: files that are new, changed or gone when all have ended.

Units run at the same time, so a change belongs to the unit that ran when it was made. If several did, they
run once more, one after the other, until one of them makes it again.
"""

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cuvee.integration.outcomes import TestOutcome
from cuvee.integration.test_session import Job

_TICK = 20_000_000
"""Nanoseconds by which the clock of files may be behind: that of Linux has the precision of a timer tick."""

_MOST_SECONDS = 300
"""How long the units may have taken together that run again to find the one that has changed something."""

_SHOWN = 3
_VERBS = {"left": "left", "changed": "changed", "removed": "removed"}


class FileStamp(NamedTuple):
    """How a file is; one that was written or given another mode has another stamp."""

    size: int
    mode: int
    written: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixChange:
    """One change: a file was ``left``, ``changed`` or ``removed``, at a time in nanoseconds."""

    what: str
    path: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """The changes of one unit, or of one of several: ``others`` ran at the same time."""

    unit: str
    changes: tuple[PrefixChange, ...]
    others: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """What was done, in a line."""
        shown = [f"{_VERBS[item.what]} {item.path}" for item in self.changes[:_SHOWN]]
        more = f" (and {len(self.changes) - _SHOWN} more)" if len(self.changes) > _SHOWN else ""
        who = f"it, or one of {', '.join(self.others)}," if self.others else "it"
        return f"{who} has {', '.join(shown)} in the release{more}"

    @property
    def log(self) -> str:
        """All of it."""
        return "".join(f"{item.what}: {item.path}\n" for item in self.changes)


@dataclass(slots=True, kw_only=True)
class PrefixWatch:
    """Watches a prefix while units run in it; made before the first of them starts."""

    prefix: Path
    _before: Mapping[str, FileStamp] = field(init=False, repr=False)
    _ran: dict[str, tuple[int, int]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._before = stamps_below(self.prefix)

    def watched(self, job: Job) -> Job:
        """Return a job that notes when it ran."""
        return Job(unit=job.unit, run=partial(self._run, job))

    def _run(self, job: Job) -> Sequence[TestOutcome]:
        start = time.time_ns()
        try:
            return job.run()
        finally:
            self._ran[job.unit] = (start, time.time_ns())

    def has_run(self, unit: str, start: int, end: int) -> None:
        """Note when a unit ran in another process, in nanoseconds."""
        self._ran[unit] = (start, end)

    def suspects(self) -> frozenset[str]:
        """Return the units that may have changed something until now."""
        return frozenset(unit for change in self._changes() for unit in self._candidates(change))

    def left_behind(self, jobs: Iterable[Job]) -> Iterator[LeftBehind]:
        """Yield what units have changed; ``jobs`` are those that ran."""
        certain: dict[str, list[PrefixChange]] = {}
        unclear: dict[tuple[str, ...], list[PrefixChange]] = {}
        for change in self._changes():
            candidates = self._candidates(change)
            if len(candidates) == 1:
                certain.setdefault(candidates[0], []).append(change)
            elif candidates:
                unclear.setdefault(candidates, []).append(change)
        runs = {job.unit: job.run for job in jobs}
        for candidates, changes in unclear.items():
            for several, change in self._again(candidates, changes, runs):
                for unit in several if len(several) > 1 else ():
                    others = tuple(other for other in several if other != unit)
                    yield LeftBehind(unit=unit, changes=(change,), others=others)
                if len(several) == 1:
                    certain.setdefault(several[0], []).append(change)
        for unit, changes in certain.items():
            yield LeftBehind(unit=unit, changes=tuple(changes))

    def _again(
        self,
        candidates: tuple[str, ...],
        changes: Sequence[PrefixChange],
        runs: Mapping[str, Callable[[], Sequence[TestOutcome]]],
    ) -> Iterator[tuple[tuple[str, ...], PrefixChange]]:
        """Run candidates again, the short ones first; yield each change with the units that may have made it.

        What was removed stays so: nothing can tell who has done it.
        """
        left = {change.path: change for change in changes if change.what != "removed"}
        yield from ((candidates, change) for change in changes if change.what == "removed")
        for change in left.values():
            if change.what == "left":
                (self.prefix / change.path).unlink(missing_ok=True)
        took = {unit: self._ran[unit][1] - self._ran[unit][0] for unit in candidates}
        spent, innocent = 0, set[str]()
        for unit in sorted(candidates, key=took.__getitem__):
            spent += took[unit]
            if not left or spent > _MOST_SECONDS * 1_000_000_000:
                break
            before = stamps_below(self.prefix)
            with suppress(Exception):  # its tests have their outcomes already
                runs[unit]()
            for change in differences(before, stamps_below(self.prefix), self.prefix):
                if found := left.pop(change.path, None):
                    yield (unit,), found
            innocent.add(unit)
        remaining = tuple(unit for unit in candidates if unit not in innocent) or candidates
        yield from ((remaining, change) for change in left.values())

    def _changes(self) -> list[PrefixChange]:
        return list(differences(self._before, stamps_below(self.prefix), self.prefix))

    def _candidates(self, change: PrefixChange) -> tuple[str, ...]:
        return tuple(
            sorted(unit for unit, (start, end) in self._ran.items() if start - _TICK <= change.at <= end)
        )


def stamps_below(prefix: Path) -> dict[str, FileStamp]:
    """Return the stamp of each file, by its path relative to the prefix.

    Byte code is left out: Python writes it for every program.
    """
    found: dict[str, FileStamp] = {}
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(prefix / folder) as entries:
                for entry in entries:
                    path = f"{folder}{entry.name}"
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        folders += [] if entry.name == "__pycache__" else [f"{path}/"]
                    else:
                        found[path] = FileStamp(
                            status.st_size, status.st_mode, status.st_mtime_ns, status.st_ctime_ns
                        )
        except OSError:
            continue  # removed meanwhile, or closed to us
    return found


def differences(
    before: Mapping[str, FileStamp], after: Mapping[str, FileStamp], prefix: Path
) -> Iterator[PrefixChange]:
    """Yield what has changed; when a file was removed is when its folder was changed."""
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if new is None:
            yield PrefixChange(what="removed", path=path, at=_folder_time(prefix / path))
        elif old is None:
            yield PrefixChange(what="left", path=path, at=new.changed)
        elif old[:3] != new[:3]:
            yield PrefixChange(what="changed", path=path, at=new.changed)


def _folder_time(path: Path) -> int:
    for folder in path.parents:
        try:
            return folder.stat().st_ctime_ns
        except OSError:
            continue
    return 0
