"""An erratum as CSAF 2.0: https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html."""

import datetime as dt
from typing import Any

from cuvee.errata.model import CheckedErratum, FlawStatus, PlatformStatus, Publisher

FOLDER = "csaf"


def file_name(number: str) -> str:
    """Return the name that section 5.1 gives the file of an advisory; a number is such a name already."""
    return f"{number}.json"


def csaf_advisory(checked: CheckedErratum, publisher: Publisher) -> dict[str, Any]:
    """Return an erratum as the JSON values of a CSAF document.

    A product is a release on one platform. With CVEs it has the profile "Security Advisory"; an erratum about
    another flaw has "CSAF Base", since that profile is for vulnerabilities.
    """
    erratum = checked.erratum
    document: dict[str, Any] = {
        "aggregate_severity": {"text": erratum.severity.value},
        "category": "csaf_security_advisory" if erratum.cves else "csaf_base",
        "csaf_version": "2.0",
        "distribution": {"tlp": {"label": "WHITE"}},
        "lang": "en",
        "notes": [{"category": "summary", "text": erratum.summary, "title": "Summary"}],
        "publisher": {
            "category": "vendor",
            "name": publisher.name,
            "namespace": publisher.url,
            **({"contact_details": publisher.contact} if publisher.contact else {}),
        },
        "references": [
            {
                "category": "self",
                "summary": erratum.number,
                "url": f"{publisher.url}/{FOLDER}/{file_name(erratum.number)}",
            },
            *({"category": "external", "summary": link, "url": link} for link in erratum.links),
        ],
        "title": erratum.title,
        "tracking": _tracking(checked),
    }
    return {
        "document": document,
        "product_tree": {"branches": [_tree(checked, publisher)]},
        "vulnerabilities": _vulnerabilities(checked, publisher),
    }


def instant(date: dt.date) -> str:
    """Return the start of a day, as https://www.rfc-editor.org/rfc/rfc3339 writes it."""
    return f"{date.isoformat()}T00:00:00Z"


def product_url(checked: CheckedErratum, item: PlatformStatus) -> str:
    """Return the package URL of a release on one platform."""
    return f"pkg:generic/{checked.erratum.distribution}@{item.version}?platform={item.platform}"


def _tracking(checked: CheckedErratum) -> dict[str, Any]:
    erratum = checked.erratum
    changes = [(erratum.date, "First version"), *((item.date, item.summary) for item in erratum.revisions)]
    history = [
        {"date": instant(date), "number": str(number), "summary": summary}
        for number, (date, summary) in enumerate(changes, 1)
    ]
    return {
        "current_release_date": history[-1]["date"],
        "id": erratum.number,
        "initial_release_date": history[0]["date"],
        "revision_history": history,
        "status": "final",
        "version": history[-1]["number"],
    }


def _tree(checked: CheckedErratum, publisher: Publisher) -> dict[str, Any]:
    erratum = checked.erratum
    versions = sorted({item.version for item in checked.stated()})
    return {
        "category": "vendor",
        "name": publisher.name,
        "branches": [
            {
                "category": "product_name",
                "name": erratum.distribution,
                "branches": [
                    {
                        "category": "product_version",
                        "name": str(version),
                        "branches": [
                            {
                                "category": "architecture",
                                "name": item.platform,
                                "product": {
                                    "name": f"{erratum.distribution} {version} for {item.platform}",
                                    "product_id": _product(checked, item),
                                    "product_identification_helper": {"purl": product_url(checked, item)},
                                },
                            }
                            for item in checked.stated()
                            if item.version == version
                        ],
                    }
                    for version in versions
                ],
            }
        ],
    }


def _product(checked: CheckedErratum, item: PlatformStatus) -> str:
    return f"{checked.erratum.release_name(item.version)}:{item.platform}"


def _vulnerabilities(checked: CheckedErratum, publisher: Publisher) -> list[dict[str, Any]]:
    erratum = checked.erratum
    groups = {
        "known_affected": FlawStatus.AFFECTED,
        "fixed": FlawStatus.FIXED,
        "known_not_affected": FlawStatus.NOT_AFFECTED,
    }
    status = {
        name: products
        for name, wanted in groups.items()
        if (products := [_product(checked, item) for item in checked.stated() if item.status is wanted])
    }
    status.setdefault("known_not_affected", []).extend(
        _product(checked, item) for item in checked.stated() if item.status is FlawStatus.ABSENT
    )
    common = {
        "notes": [{"category": "description", "text": erratum.summary}],
        "product_status": {name: products for name, products in status.items() if products},
        "remediations": _remediations(checked, status.get("known_affected", [])),
    }
    if status["known_not_affected"]:
        common["threats"] = [
            {
                "category": "impact",
                "details": "It has no affected version of the packages.",
                "product_ids": status["known_not_affected"],
            }
        ]
    if not erratum.cves:
        system = f"{publisher.name}: errata"
        return [{"ids": [{"system_name": system, "text": erratum.number}], "title": erratum.title, **common}]
    return [{"cve": cve, "title": erratum.title, **common} for cve in erratum.cves]


def _remediations(checked: CheckedErratum, affected: list[str]) -> list[dict[str, Any]]:
    erratum = checked.erratum
    found = []
    if erratum.fixed_releases:
        names = " or ".join(erratum.release_name(version) for version in erratum.fixed_releases)
        found.append({"category": "vendor_fix", "details": f"Upgrade to {names}.", "product_ids": affected})
    if erratum.workaround:
        found.append({"category": "workaround", "details": erratum.workaround, "product_ids": affected})
    if not found:
        found.append(
            {"category": "none_available", "details": "There is no fix yet.", "product_ids": affected}
        )
    return found
