"""Errata as a page for people, and as an Atom feed: https://www.rfc-editor.org/rfc/rfc4287."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cuvee.errata.csaf_advisory import FOLDER, file_name, instant
from cuvee.errata.model import CheckedErratum, FlawStatus, Publisher, Urgency
from cuvee.report.html import environment
from cuvee.report.site import lone_page

if TYPE_CHECKING:
    from jinja2 import Template

_TONES: Mapping[Urgency, str] = {
    Urgency.CRITICAL: "bad",
    Urgency.HIGH: "bad",
    Urgency.MEDIUM: "warn",
    Urgency.LOW: "info",
}
_STATES: Mapping[FlawStatus, str] = {
    FlawStatus.AFFECTED: "bad",
    FlawStatus.FIXED: "good",
    FlawStatus.NOT_AFFECTED: "good",
    FlawStatus.ABSENT: "idle",
}
_NEVER = dt.date(1970, 1, 1)
"""When a feed without entries was updated: the format requires a date."""


def errata_page(errata: Sequence[CheckedErratum], publisher: Publisher) -> str:
    """Return the page, which needs no JavaScript and nothing else."""
    return lone_page(
        _template("errata.html.j2"),
        errata=newest_first(errata),
        publisher=publisher,
        tones=_TONES,
        states=_STATES,
        folder=FOLDER,
        has_vex=any(item.erratum.cves for item in errata),
    )


def errata_feed(errata: Sequence[CheckedErratum], publisher: Publisher) -> str:
    """Return the feed, an entry for each erratum."""

    def identifier(name: str) -> str:
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"

    return _template("errata.atom.j2").render(
        errata=newest_first(errata),
        publisher=publisher,
        identifier=identifier,
        updated=max((item.erratum.updated for item in errata), default=_NEVER),
    )


def newest_first(errata: Sequence[CheckedErratum]) -> list[CheckedErratum]:
    """Return errata by the day on which they were published."""
    return sorted(errata, key=lambda item: (item.erratum.date, item.erratum.number), reverse=True)


def _template(name: str) -> "Template":
    made = environment().overlay()  # what is changed in it is not changed for others
    made.filters = {**made.filters, "instant": instant, "advisory": file_name}
    return made.get_template(name)
