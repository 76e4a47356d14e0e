"""The interface of a check, and how bad its findings are on each support track."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.manifest.model import Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """The worst verdict that a check's findings get on each track; what a check grades lower stays lower."""

    edge: Verdict = Verdict.BLOCKED
    stable: Verdict = Verdict.BLOCKED
    lts: Verdict = Verdict.BLOCKED

    def on(self, track: Track | None) -> Verdict:
        """Give the verdict on a track; a release that names none counts as stable."""
        return {Track.EDGE: self.edge, Track.LTS: self.lts}.get(track or Track.STABLE, self.stable)


STRICT = Severity()
"""What is wrong on every track."""

NOTICE = Severity(edge=Verdict.INFO, stable=Verdict.INFO, lts=Verdict.INFO)
"""What is good to know, and stops nothing unless a manifest says so."""

ADVICE = Severity(edge=Verdict.WARNING, stable=Verdict.WARNING, lts=Verdict.WARNING)
"""What somebody should look at before the next release."""

STRICTER_WITH_SUPPORT = Severity(edge=Verdict.INFO, stable=Verdict.WARNING, lts=Verdict.NEEDS_APPROVAL)
"""What matters the more, the longer a release is supported."""


class Check(Protocol):
    """One question that is asked of a release."""

    @property
    def identifier(self) -> str:
        """Stable; findings, waivers and documentation are keyed on it."""

    @property
    def family(self) -> str:
        """``graph``, ``metadata``, ``parity``, …: groups checks in lists and on the page."""

    @property
    def title(self) -> str:
        """The question, as a sentence that is true of a good release."""

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Checks without which this one says nothing; if one of them fails, this one is skipped."""

    @property
    def severity(self) -> Severity:
        """How bad its findings are at worst, by support track; the manifest may say otherwise."""

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Look at the release, and at nothing else; give what is to be said, grouped by cause.

        Raises
        ------
        NotApplicable
            If the question can not be asked of this release.
        """
        ...


class NotApplicable(Exception):  # noqa: N818 - no error: the check is skipped, with this reason
    """Why a check has nothing to look at; the text is the reason, and says how to get what is missing."""


class Status(enum.Enum):
    """What became of a check."""

    PASS = "pass"  # noqa: S105 - a status
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """A check's status, the reason if it was skipped, and its findings."""

    identifier: str
    title: str
    status: Status
    reason: str = ""
    findings: tuple[Finding, ...] = ()


def documentation(check: Check) -> str:
    """Give where a check is explained, from the repository's root."""
    return f"docs/reference/checks.md#{check.identifier}"
