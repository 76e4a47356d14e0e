"""What workers report, as documents: what they are told by others is data, and is checked like any other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.codec import Document
from cuvee.integration.kept_units import EndedUnit
from cuvee.integration.model import Plan
from cuvee.integration.outcomes import TestOutcome
from cuvee.integration.repeat_budget import RepeatUse
from cuvee.integration.tool_sets import KnownSets
from cuvee.lock.model import PlatformLock


@dataclass(frozen=True, slots=True, kw_only=True)
class SentTools:
    """The packages of the release, and what its tests need besides, with the archives."""

    lock: PlatformLock
    sets: KnownSets


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOrder:
    """What a worker needs to install a release and run units of its plan.

    Attributes
    ----------
    run
        The name of the run, which no other has.
    units
        Those that may come; `None` is all.
    administered
        Whether the installer and the prefix verify themselves.
    hidden
        Files and folders that programs of packages must not see, if they are on the worker.
    tools
        What to put beside the release there; `None` if there is nothing.
    """

    run: str
    plan: Plan
    installer: Path
    timeout: float
    units: frozenset[str] | None = None
    emulate: bool = False
    administered: bool = True
    hidden: tuple[str, ...] = ()
    tools: SentTools | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedWorker:
    """What became of the installation on one worker.

    ``refusal`` is why it cannot run the platform at all; ``outcomes`` are those of the installer's tests and
    of suites that its runner does not run.
    """

    refusal: str = ""
    runner: str = ""
    host: str = ""
    keeps_files_away: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    outcomes: tuple[TestOutcome, ...] = ()
    logs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedUnit:
    """A unit that has run, where, and what the worker has used of the run's budget of repetitions so far.

    It was ``started`` and has ``ended_at`` nanoseconds of the worker's clock.
    """

    worker: str
    ended: EndedUnit
    use: RepeatUse
    started: int = 0
    ended_at: int = 0


PREPARED_WORKER = Document(name="prepared-worker", kind=PreparedWorker)
REPORTED_UNIT = Document(name="reported-unit", kind=ReportedUnit)
