"""The software bill of materials of one platform as SPDX 2.3 JSON: https://spdx.github.io/spdx-spec/v2.3/.

It has what the CycloneDX one has, for tools that read SPDX. Its namespace is derived from the content.
"""

import datetime as dt
import re
import uuid
from collections.abc import Collection, Iterable
from importlib.metadata import version
from typing import Any

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import clean_url
from cuvee.files import canonical_json, sha256_bytes
from cuvee.image.model import ReleaseLabel
from cuvee.lock.model import PlatformLock
from cuvee.trust.package_urls import conda_purl
from cuvee.trust.sbom import NAMESPACE, edges, newest
from cuvee.trust.stated_licenses import StatedLicense, stated_license

_DOCUMENT, _RELEASE = "SPDXRef-DOCUMENT", "SPDXRef-Release"
_NO_TIME = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NOTHING = "NOASSERTION"
_NOT_IN_NAMES = re.compile("[^a-zA-Z0-9.-]")


def make_spdx(lock: PlatformLock, *, release: ReleaseLabel, requested: Collection[str]) -> bytes:
    """Return the bill of materials of a locked platform; parameters are those of `make_sbom`."""
    value = _document(lock, release, requested)
    number = uuid.uuid5(NAMESPACE, canonical_json(value).decode())
    return canonical_json({**value, "documentNamespace": f"urn:uuid:{number}"})


def _document(lock: PlatformLock, release: ReleaseLabel, requested: Collection[str]) -> dict[str, Any]:
    created = newest(lock) or _NO_TIME
    packages = [package for _, package in sorted(lock.by_name.items())]
    wanted = [lock.by_name[name] for name in sorted({*requested} & lock.by_name.keys())]
    document: dict[str, Any] = {
        "SPDXID": _DOCUMENT,
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "name": f"{release.release_name}@{lock.platform}",
        "creationInfo": {
            "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": [f"Tool: cuvee-{version('cuvee')}"],
        },
        "packages": [
            {
                "SPDXID": _RELEASE,
                "name": release.distribution,
                "versionInfo": release.version,
                "summary": release.title,
                "downloadLocation": _NOTHING,
                "filesAnalyzed": False,
                "primaryPackagePurpose": "INSTALL",
            },
            *map(_package, packages),
        ],
        "relationships": [
            _relationship(_DOCUMENT, "DESCRIBES", _RELEASE),
            *(_relationship(_RELEASE, "DEPENDS_ON", _reference(package)) for package in wanted),
            *(
                _relationship(_reference(package), "DEPENDS_ON", _reference(other))
                for package, needed in edges(lock)
                for other in needed
            ),
        ],
    }
    texts = _license_texts(stated_license(package.license) for package in packages)
    return {**document, **({"hasExtractedLicensingInfos": texts} if texts else {})}


def _package(package: LockedPackage) -> dict[str, Any]:
    checksums = [{"algorithm": "SHA256", "checksumValue": package.sha256}]
    if package.md5:
        checksums.append({"algorithm": "MD5", "checksumValue": package.md5})
    stated = stated_license(package.license)
    return {
        "SPDXID": _reference(package),
        "name": package.name,
        "versionInfo": package.version,
        "packageFileName": package.file_name,
        "downloadLocation": _NOTHING if package.is_local else clean_url(package.url),
        "filesAnalyzed": False,
        "checksums": checksums,
        "licenseConcluded": _NOTHING,
        "licenseDeclared": _NOTHING if stated is None else _expression(stated),
        "copyrightText": _NOTHING,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": conda_purl(package),
            }
        ],
    }


def _reference(package: LockedPackage) -> str:
    """Return the identifier of a package; names may have characters that it may not."""
    number = sha256_bytes(package.identifier.encode())[:12]
    return f"SPDXRef-{_NOT_IN_NAMES.sub('-', package.name)}-{number}"


def _relationship(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _expression(stated: StatedLicense) -> str:
    return stated.expression or f"LicenseRef-{sha256_bytes(stated.text.encode(errors='replace'))[:12]}"


def _license_texts(licenses: Iterable[StatedLicense | None]) -> list[dict[str, str]]:
    """Return what SPDX wants to know of licences that it does not list."""
    found: dict[str, str] = {}
    for stated in licenses:
        if stated is not None:
            names = stated.references if stated.expression else (_expression(stated),)
            found |= dict.fromkeys(names, stated.text)
    return [
        {"licenseId": name, "name": text, "extractedText": f"The package states: {text}"}
        for name, text in sorted(found.items())
    ]
