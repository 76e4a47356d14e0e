"""The events that ``inside/run_pytest.py`` writes while it runs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.codec import decode
from cuvee.files import parse_json


@dataclass(frozen=True, slots=True, kw_only=True)
class PytestEvent:
    """One line. The value of ``event`` says which of the other fields are used."""

    event: str
    test: str = ""
    tests: tuple[str, ...] = ()
    state: str = ""
    seconds: float = 0.0
    reason: str = ""
    detail: str = ""
    module: str = ""
    exit_code: int = 0


@dataclass(slots=True, kw_only=True)
class PytestRecord:
    """The events of one process.

    ``collected`` are all tests that were to run, ``results`` come in the order of running. ``running`` is the
    test that started and has no result: where the process crashed. ``exit_code`` is pytest's, if it ended by
    itself; ``crash_report`` the stack at a crash or at a timeout.
    """

    results: dict[str, PytestEvent] = field(default_factory=dict)
    collected: list[str] = field(default_factory=list)
    running: str | None = None
    exit_code: int | None = None
    crash_report: str = ""

    @property
    def timed_out(self) -> bool:
        """Whether the watch over the running test ended the process."""
        return self.crash_report.startswith("Timeout (")


def read_record(events: Path, crash: Path) -> PytestRecord:
    """Return what both files hold; either may be missing, and the last line may be cut short."""
    record = PytestRecord()
    for event in _events(events):
        match event.event:
            case "collected":
                record.collected += event.tests
            case "start":
                record.running = event.test
            case "end":
                record.exit_code = event.exit_code
            case "result":
                record.running = None
                record.results[event.test] = event
            case _:
                record.results[event.test or event.module] = event
    if crash.exists():
        record.crash_report = crash.read_text("utf-8", errors="replace")
    return record


def _events(path: Path) -> Iterator[PytestEvent]:
    if not path.exists():
        return
    for line in path.read_text("utf-8", errors="replace").splitlines():
        try:
            yield decode(PytestEvent, parse_json(line))
        except ValueError:
            continue  # the process ended while it wrote
