"""What a report is made from."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.channel.model import Absent
from cuvee.graph.diff import Change
from cuvee.graph.findings import Finding
from cuvee.installers.artefact import Artefact
from cuvee.integration.outcomes import PlatformRun
from cuvee.lock.model import Lock
from cuvee.manifest.model import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the pipeline, as it went.

    Attributes
    ----------
    seconds
        How long it took, in the run that did the work.
    reused
        Whether its inputs were unchanged, so that an earlier run's result was taken.
    inputs
        Hex SHA-256 of its inputs; may be empty.
    """

    name: str
    seconds: float
    reused: bool = False
    inputs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """Everything that a report tells; it looks up nothing else but the logs below ``results``.

    Attributes
    ----------
    absent
        Platforms that the manifest wants and that could not be made on this host.
    base
        The name of the release that ``changes`` compares with, such as ``starter-2026.10.2``.
    changes
        What differs from ``base``; `None` when there is no base, or its lock is not at hand.
    made_at
        When the release was cut; aware.
    tools
        Tool to version.
    inputs_hash
        Hex SHA-256 of all inputs of the release.
    results
        The folder ``results`` of the release, for the logs; `None` to embed none.
    """

    manifest: Manifest
    lock: Lock
    absent: tuple[Absent, ...] = ()
    findings: tuple[Finding, ...] = ()
    runs: tuple[PlatformRun, ...] = ()
    artefacts: tuple[Artefact, ...] = ()
    base: str | None = None
    changes: tuple[Change, ...] | None = None
    made_at: dt.datetime
    tools: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()
    inputs_hash: str = ""
    results: Path | None = None
