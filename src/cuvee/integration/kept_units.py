"""Units that ended in a run that did not: the next run of the same inputs does not repeat them.

The run was interrupted, or a fault of the machine has ended other units.
"""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.codec import Document
from cuvee.errors import CuveeError
from cuvee.files import write_text
from cuvee.integration.model import LEFT_BEHIND, VERIFY_AFTER
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.test_session import safe_name


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedUnit:
    """What became of the tests of a unit, and the text of each log by its path in the results."""

    unit: str
    outcomes: tuple[TestOutcome, ...]
    logs: dict[str, str] = field(default_factory=dict)


_DOCUMENT = Document(name="ended-unit", kind=EndedUnit)


class KeptUnits:
    """A folder with the units of one run that have ended.

    Parameters
    ----------
    folder
        Of one release on one platform, below the cache: only its user may write to it.
    inputs
        The hash of everything that the outcomes follow from. What was kept of others is removed.
    """

    def __init__(self, folder: Path, inputs: str) -> None:
        self._above, self._folder = folder, folder / inputs
        self.taken: list[str] = []
        with suppress(OSError):
            for other in folder.iterdir():
                if other.name != inputs:
                    shutil.rmtree(other, ignore_errors=True)

    def outcomes_of(
        self, unit: str, run: Callable[[], Sequence[TestOutcome]], results: Path
    ) -> Sequence[TestOutcome]:
        """Return what became of a unit in the earlier run, else what ``run`` returns."""
        known = self.known(unit, results)
        return known if known is not None else self.keep(unit, run(), results)

    def known(self, unit: str, results: Path) -> Sequence[TestOutcome] | None:
        """Return what became of a unit in the earlier run, with its logs; `None` if nothing."""
        known = self._read(unit)
        if known is None:
            return None
        write_logs(known.logs, results)
        self.taken.append(unit)
        return known.outcomes

    def keep(self, unit: str, outcomes: Sequence[TestOutcome], results: Path) -> Sequence[TestOutcome]:
        """Keep what became of a unit, for a run after this one; return it.

        A unit with an outcome that blocks runs again: whatever made it fail may be over. The same holds for
        whole runs.
        """
        found = tuple(outcomes)
        if not any(outcome.state.blocks for outcome in found):
            with suppress(CuveeError, OSError):  # such as a full disk: then it runs again
                ended = EndedUnit(unit=unit, outcomes=found, logs=read_logs(found, results))
                _DOCUMENT.write(self._path(unit), ended)
        return found

    def drop(self, units: Iterable[str]) -> None:
        """Remove what was kept of units: they may have done what their outcomes do not say."""
        for unit in units:
            self._path(unit).unlink(missing_ok=True)

    @property
    def note(self) -> str:
        """Say how many units were not repeated; the empty text if all were."""
        return (
            f"{len(self.taken):,} units are those of an earlier run, which did not end" if self.taken else ""
        )

    def close(self, outcomes: Iterable[TestOutcome]) -> None:
        """Remove what was kept when a run has ended, unless it has to be repeated for a fault of the machine.

        If something was left behind in the release, all units run again.
        """
        blocking = [outcome for outcome in outcomes if outcome.state.blocks]
        broken = any(outcome.state is OutcomeState.INFRA_ERROR for outcome in blocking)
        if not broken or any(_of_the_prefix(outcome.test) for outcome in blocking):
            self.forget()

    def forget(self) -> None:
        """Remove what was kept."""
        shutil.rmtree(self._above, ignore_errors=True)

    def _read(self, unit: str) -> EndedUnit | None:
        """Return what was kept of a unit; `None` if that is nothing, or cannot be read."""
        path = self._path(unit)
        if not path.is_file():
            return None
        with suppress(CuveeError):
            known = _DOCUMENT.read(path)
            if known.unit == unit and all(map(is_log, known.logs)):
                return known
        return None

    def _path(self, unit: str) -> Path:
        return self._folder / f"{safe_name(unit)}.json"


def _of_the_prefix(test: str) -> bool:
    return test == VERIFY_AFTER or test.endswith(f"::{LEFT_BEHIND}")


def read_logs(outcomes: Iterable[TestOutcome], results: Path) -> dict[str, str]:
    """Return the text of each log of outcomes, by its path in the results."""
    names = (outcome.log for outcome in outcomes if outcome.log is not None)
    return {name: (results / name).read_text("utf-8", errors="replace") for name in names}


def write_logs(logs: Mapping[str, str], results: Path) -> None:
    """Write logs to their paths in the results; all of them are `is_log`."""
    for name, text in logs.items():
        write_text(results / name, text)


def is_log(name: str) -> bool:
    """Whether a path is that of a log in results: what was read may name any."""
    return name.startswith("logs/") and ".." not in name.split("/") and "\\" not in name
