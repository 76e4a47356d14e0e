"""Errata for installed releases: ``errata.json``, which `<distribution>-admin status` reads offline.

The runtime has no solver and compares no versions: the file names releases and platforms.
"""

from collections.abc import Sequence
from typing import Any

from cuvee.errata.errata_page import newest_first
from cuvee.errata.model import CheckedErratum, FlawStatus, Publisher

FORMAT = 1


def desktop_errata(errata: Sequence[CheckedErratum], publisher: Publisher) -> dict[str, Any]:
    """Return the JSON values of the file, by distribution, the newest erratum first."""
    ordered = newest_first(errata)
    return {
        "errata": FORMAT,
        "publisher": publisher.name,
        "url": publisher.url,
        "updated": max((item.erratum.updated.isoformat() for item in errata), default=""),
        "distributions": {
            name: [_entry(item) for item in ordered if item.erratum.distribution == name]
            for name in sorted({item.erratum.distribution for item in errata})
        },
    }


def _entry(checked: CheckedErratum) -> dict[str, Any]:
    erratum = checked.erratum
    affected: dict[str, dict[str, list[str]]] = {}
    for item in checked.stated():
        if item.status is FlawStatus.AFFECTED:
            names = [f"{package.name} {package.version}" for package in item.affected]
            affected.setdefault(str(item.version), {})[item.platform] = names
    return {
        "number": erratum.number,
        "title": erratum.title,
        "severity": erratum.severity.value,
        "date": erratum.date.isoformat(),
        "updated": erratum.updated.isoformat(),
        "summary": erratum.summary,
        "workaround": erratum.workaround,
        "cves": list(erratum.cves),
        "links": list(erratum.links),
        "affected": affected,
        "fixed": [str(version) for version in erratum.fixed_releases],
    }
