"""Findings: what a check found, as data, and the verdict they add up to."""

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
        order = list(Verdict)
        return order.index(self) < order.index(other)

    @property
    def must_act(self) -> str:
        """One sentence: must I act?"""
        return _MUST_ACT[self]

    @property
    def exit_code(self) -> int:
        """0 when the release may go out, 1 when it may not."""
        return int(self >= Verdict.WAITING)


_MUST_ACT = {
    Verdict.READY: "Nobody needs to act.",
    Verdict.INFO: "Nobody needs to act; it is good to know.",
    Verdict.WAIVED: "Nobody needs to act until the waiver expires.",
    Verdict.WARNING: "The release can go out; the owner should look before the next one.",
    Verdict.WAITING: "Nobody needs to act yet, but the release can not go out before this has finished.",
    Verdict.NEEDS_APPROVAL: "Somebody must approve this, or record a waiver, before the release goes out.",
    Verdict.BLOCKED: "The owner must mend this, or record a waiver, before the release goes out.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check found: a cause, and all who suffer from it.

    Attributes
    ----------
    check
        The identifier of the check, such as ``closure``.
    verdict
        How bad it is.
    cause
        One sentence that names the cause; equal causes are one finding.
    kind
        The class of the cause, where a check knows several, such as ``no-such-version``.
    packages
        Names of the packages at fault or at hand, the cause's first.
    victims
        Identifiers (``name-version-build@platform``) of what is hit.
    platforms
        Where.
    owners
        Who must act, from the manifest; may be empty.
    evidence
        Lines that prove it.
    action
        What to do next.
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
    """Give the worst verdict, which wins; none at all is ready."""
    return max(verdicts, default=Verdict.READY)
