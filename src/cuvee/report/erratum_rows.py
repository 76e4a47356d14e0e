"""The errata that are about a release, as its report shows them."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from cuvee.release.record import Release
from cuvee.report.badges import Badge

HAS_FLAW = Badge("affected", "alert", "warn", "This release has the flaw.")
HAS_FIX = Badge("fixed", "check", "good", "This release is one of those that the erratum states as fixed.")
UNTRUE = Badge(
    "not as stated", "cross", "bad", "The locks of this release say something else than the erratum."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErratumRow:
    """One erratum, and what the locks of the release say of it.

    Attributes
    ----------
    platforms, packages
        Where the release is as the badge says, and with which packages.
    fixed_in
        The releases that have the fix.
    url
        The erratum on the page of its publisher.
    """

    number: str
    title: str
    badge: Badge
    severity: str
    date: dt.date
    platforms: tuple[str, ...]
    packages: tuple[str, ...]
    fixed_in: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()
    workaround: str = ""
    url: str

    @property
    def anchor(self) -> str:
        """The address of the row on the page."""
        return f"erratum-{self.number}"


ErrataOf = Callable[[Release], tuple[ErratumRow, ...] | None]
"""Returns the errata that are about a release; `None` if it is not known which errata there are."""


def no_errata(_release: Release) -> None:
    """Return that it is not known which errata there are."""
    return
