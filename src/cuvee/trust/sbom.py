"""The software bill of materials of one platform, as CycloneDX JSON.

Every package of the closure is a component with its hashes, its licence, a PURL and its dependencies. The
bill does not depend on when or where it is made: the serial number is derived from the content. The format:
https://cyclonedx.org/docs/1.6/json/.
"""

import datetime as dt
import re
import uuid
from collections.abc import Collection, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.image.model import ReleaseLabel
from cuvee.lock.model import PlatformLock
from cuvee.spdx import is_expression

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component

_NAMESPACE = uuid.UUID("6f1b3a52-6c0b-5d0c-9c57-0d6f5a3f2a10")
_ARCHIVE = re.compile(r"\.(conda|tar\.bz2)$")


def make_sbom(lock: PlatformLock, *, release: ReleaseLabel, requested: Collection[str]) -> bytes:
    """Return the bill of materials of a locked platform as CycloneDX 1.6 JSON.

    Parameters
    ----------
    requested
        The names of the requested packages, on which the release itself depends.
    """
    from cyclonedx.output.json import JsonV1Dot6

    first = JsonV1Dot6(_bom(lock, release, requested, uuid.UUID(int=0))).output_as_string()
    serial = uuid.uuid5(_NAMESPACE, first)
    text: str = JsonV1Dot6(_bom(lock, release, requested, serial)).output_as_string(indent=1)
    return f"{text}\n".encode()


def _bom(lock: PlatformLock, release: ReleaseLabel, requested: Collection[str], serial: uuid.UUID) -> "Bom":
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.tool import ToolRepository

    root = Component(
        name=release.distribution,
        version=release.version,
        type=ComponentType.PLATFORM,
        description=release.title,
        bom_ref=f"{release.release_name}@{lock.platform}",
    )
    tool = Component(
        name="cuvee", version=version("cuvee"), type=ComponentType.APPLICATION, bom_ref="tool:cuvee"
    )
    components = {package.name: _component(package) for package in lock.packages}
    bom = Bom(
        components=components.values(),
        serial_number=serial,
        metadata=BomMetaData(component=root, tools=ToolRepository(components=[tool])),
    )
    # The constructor takes None for now.
    bom.metadata.timestamp = _newest(lock)  # type: ignore[assignment]
    bom.register_dependency(root, [components[name] for name in sorted({*requested} & components.keys())])
    for package in lock.packages:
        names = {read_spec(spec).name for spec in package.depends}
        needed = [components[name] for name in sorted(names & components.keys())]
        bom.register_dependency(components[package.name], needed)
    return bom


def _newest(lock: PlatformLock) -> dt.datetime | None:
    """Return the time of the newest package: a time that does not depend on when the bill is made."""
    times = [package.timestamp for package in lock.packages if package.timestamp is not None]
    return dt.datetime.fromtimestamp(max(times) // 1000, tz=dt.UTC) if times else None


def _component(package: LockedPackage) -> "Component":
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
    from cyclonedx.model.component import Component, ComponentType

    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=package.sha256)]
    if package.md5:
        hashes.append(HashType(alg=HashAlgorithm.MD5, content=package.md5))
    sources = []
    if not package.is_local:
        sources = [ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(package.url))]
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=package.identifier,
        purl=package_url(package),
        hashes=hashes,
        licenses=list(_licenses(package.license)),
        external_references=sources,
    )


def package_url(package: LockedPackage) -> Any:
    """Return the PURL, as https://github.com/package-url/purl-spec specifies it for conda."""
    from packageurl import PackageURL

    qualifiers = {"build": package.build, "subdir": package.subdir}
    if not package.is_local:
        qualifiers["channel"] = package.channel
    found = _ARCHIVE.search(package.file_name)
    if found is not None:
        qualifiers["type"] = found[1]
    return PackageURL(type="conda", name=package.name, version=package.version, qualifiers=qualifiers)


def _licenses(stated: str | None) -> Iterator[Any]:
    """Yield the licence as SPDX if possible, else with the name that the package states."""
    from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
    from cyclonedx.spdx import is_supported_id

    text = (stated or "").strip()
    if not text:
        return
    if is_supported_id(text):
        yield DisjunctiveLicense(id=text)
    elif is_expression(text):
        yield LicenseExpression(text)
    else:
        yield DisjunctiveLicense(name=text)
