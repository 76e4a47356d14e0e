"""Findings of checks, and the verdict that follows from them."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from functools import total_ordering


@total_ordering
class Verdict(enum.Enum):
    """How bad a finding is; the worst one is the release's."""

    READY = "ready"
    INFO = "info"
    WAIVED = "waived"
    WARNING = "warning"
    WAITING = "waiting"
    NEEDS_APPROVAL = "needs-approval"
    BLOCKED = "blocked"

    def __lt__(self, other: "Verdict") -> bool:
        return _ORDER[self] < _ORDER[other]

    @property
    def must_act(self) -> str:
        """One sentence that says whether somebody must act."""
        return _MUST_ACT[self]

    @property
    def exit_code(self) -> int:
        """The exit code: 0 if the release may be published, 1 if not."""
        return int(self >= Verdict.WAITING)


_ORDER = {verdict: number for number, verdict in enumerate(Verdict)}
_MUST_ACT = {
    Verdict.READY: "No action is needed.",
    Verdict.INFO: "No action is needed; this is for information.",
    Verdict.WAIVED: "No action is needed until the waiver expires.",
    Verdict.WARNING: "The release can be published; the owner should fix this before the next one.",
    Verdict.WAITING: "No action is needed yet, but the release cannot be published before this has finished.",
    Verdict.NEEDS_APPROVAL: "This must be approved, or waived, before the release can be published.",
    Verdict.BLOCKED: "The owner must fix this, or it must be waived, before the release can be published.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check found: a cause, and everything that it affects.

    Attributes
    ----------
    check
        The identifier of the check, such as ``closure``.
    cause
        One sentence that names the cause; equal causes are one finding.
    kind
        The class of the cause, where a check has several, such as ``no-such-version``.
    packages
        Names of the packages concerned, those at fault first.
    victims
        Identifiers (``name-version-build@platform``) of the affected packages.
    owners
        The packages' owners in the manifest, who must act; may be empty.
    evidence
        Lines that prove the finding.
    waived_because
        The waiver's reason, author and expiry, when `verdict` is ``waived``.
    """

    check: str
    verdict: Verdict
    cause: str
    kind: str = ""
    packages: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    action: str = ""
    waived_because: str | None = None


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; `Verdict.READY` if there are none."""
    return max(set(verdicts), default=Verdict.READY)
