"""The software bill of materials of one platform, as CycloneDX JSON.

Every package of the closure is a component with its hashes, its licence, a package URL and its dependencies.
The bill does not depend on when or where it is made: the serial number is derived from the content. The
format: https://cyclonedx.org/docs/1.6/json/. It is written here, since the library for it takes seconds for
a thousand packages.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator
from importlib.metadata import version
from typing import Any

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import clean_url
from cuvee.files import canonical_json
from cuvee.image.model import ReleaseLabel
from cuvee.lock.model import PlatformLock
from cuvee.trust.package_urls import conda_purl
from cuvee.trust.stated_licenses import stated_license

NAMESPACE = uuid.UUID("6f1b3a52-6c0b-5d0c-9c57-0d6f5a3f2a10")
"""Of numbers that are derived from contents."""


def make_sbom(lock: PlatformLock, *, release: ReleaseLabel, requested: Collection[str]) -> bytes:
    """Return the bill of materials of a locked platform as CycloneDX 1.6 JSON.

    Parameters
    ----------
    requested
        The names of the requested packages, on which the release itself depends.
    """
    value = _bom(lock, release, requested)
    serial = uuid.uuid5(NAMESPACE, canonical_json(value).decode())
    return canonical_json({**value, "serialNumber": f"urn:uuid:{serial}"})


def edges(lock: PlatformLock) -> Iterator[tuple[LockedPackage, list[LockedPackage]]]:
    """Yield each package, sorted by name, with those of the closure that it depends on."""
    for _, package in sorted(lock.by_name.items()):
        names = {read_spec(spec).name for spec in package.depends}
        yield package, [lock.by_name[name] for name in sorted(names & lock.by_name.keys())]


def newest(lock: PlatformLock) -> dt.datetime | None:
    """Return the time of the newest package: a time that does not depend on when the bill is made."""
    times = [package.timestamp for package in lock.packages if package.timestamp is not None]
    return dt.datetime.fromtimestamp(max(times) // 1000, tz=dt.UTC) if times else None


def _bom(lock: PlatformLock, release: ReleaseLabel, requested: Collection[str]) -> dict[str, Any]:
    root = f"{release.release_name}@{lock.platform}"
    tool = {"type": "application", "bom-ref": "tool:cuvee", "name": "cuvee", "version": version("cuvee")}
    metadata: dict[str, Any] = {
        "component": {
            "type": "platform",
            "bom-ref": root,
            "name": release.distribution,
            "version": release.version,
            "description": release.title,
        },
        "tools": {"components": [tool]},
    }
    time = newest(lock)
    if time is not None:
        metadata["timestamp"] = time.isoformat()
    wanted = [lock.by_name[name].identifier for name in sorted({*requested} & lock.by_name.keys())]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": [_component(package) for _, package in sorted(lock.by_name.items())],
        "dependencies": [
            _dependency(root, wanted),
            *(
                _dependency(package.identifier, [item.identifier for item in needed])
                for package, needed in edges(lock)
            ),
        ],
    }


def _dependency(reference: str, needed: list[str]) -> dict[str, Any]:
    return {"ref": reference, **({"dependsOn": needed} if needed else {})}


def _component(package: LockedPackage) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": package.sha256}]
    if package.md5:
        hashes.append({"alg": "MD5", "content": package.md5})
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.identifier,
        "name": package.name,
        "version": package.version,
        "purl": conda_purl(package),
        "hashes": hashes,
    }
    license_ = stated_license(package.license)
    if license_ is not None:
        if license_.is_listed:
            component["licenses"] = [{"license": {"id": license_.expression}}]
        elif license_.expression:
            component["licenses"] = [{"expression": license_.expression}]
        else:
            component["licenses"] = [{"license": {"name": license_.text}}]
    if not package.is_local:
        component["externalReferences"] = [{"type": "distribution", "url": clean_url(package.url)}]
    return component
