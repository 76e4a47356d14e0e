"""Errata with CVEs as one OpenVEX 0.2.0 document: https://github.com/openvex/spec."""

from collections.abc import Iterator, Sequence
from typing import Any

from cuvee.conda.package_record import LockedPackage
from cuvee.errata.csaf_advisory import instant, product_url
from cuvee.errata.model import CheckedErratum, FlawStatus, PlatformStatus, Publisher
from cuvee.trust.package_urls import conda_purl

_STATUSES = {FlawStatus.AFFECTED: "affected", FlawStatus.FIXED: "fixed"}


def openvex_document(errata: Sequence[CheckedErratum], publisher: Publisher) -> dict[str, Any] | None:
    """Return the JSON values of the document; `None` if no erratum names a CVE.

    Products are releases on one platform. Their packages have the URLs that the bills of materials have, so
    that a scanner of these finds the statements.
    """
    dates = [item.erratum.updated for item in errata if item.erratum.cves]
    if not dates:
        return None
    return {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": f"{publisher.url}/openvex.json",
        "author": publisher.name,
        "timestamp": instant(min(item.erratum.date for item in errata if item.erratum.cves)),
        "last_updated": instant(max(dates)),
        # Each erratum and each revision is a change of this document.
        "version": sum(1 + len(item.erratum.revisions) for item in errata if item.erratum.cves),
        "statements": [statement for item in errata for statement in _statements(item)],
    }


def _statements(checked: CheckedErratum) -> Iterator[dict[str, Any]]:
    erratum = checked.erratum
    for cve in erratum.cves:
        for status, word in _STATUSES.items():
            products = [_product(checked, item) for item in checked.stated() if item.status is status]
            if products:
                yield {
                    "vulnerability": {"name": cve, "description": erratum.title},
                    "timestamp": instant(erratum.date),
                    "last_updated": instant(erratum.updated),
                    "products": products,
                    "status": word,
                    **({"action_statement": _action(checked)} if status is FlawStatus.AFFECTED else {}),
                }


def _product(checked: CheckedErratum, item: PlatformStatus) -> dict[str, Any]:
    packages = item.affected if item.status is FlawStatus.AFFECTED else item.fixed
    url = product_url(checked, item)
    return {"@id": url, "identifiers": {"purl": url}, "subcomponents": [_part(item) for item in packages]}


def _part(package: LockedPackage) -> dict[str, Any]:
    url = conda_purl(package)
    return {"@id": url, "identifiers": {"purl": url}, "hashes": {"sha-256": package.sha256}}


def _action(checked: CheckedErratum) -> str:
    erratum = checked.erratum
    names = " or ".join(erratum.release_name(version) for version in erratum.fixed_releases)
    said = [f"Upgrade to {names}." if names else "", erratum.workaround]
    return " ".join(text for text in said if text) or "There is no fix yet."
