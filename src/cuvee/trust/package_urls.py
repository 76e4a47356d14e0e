"""Package URLs, which name a package for other tools: https://ecma-international.org/publications-and-standards/standards/ecma-427/

Those of conda packages are as CEP 49 says, https://github.com/conda/ceps/blob/main/cep-0049.md: the channel
is the namespace. Characters are encoded as strictly as it demands, which packageurl-python does not do.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote, urlsplit

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import clean_url

DEFAULT_REPOSITORY = "https://conda.anaconda.org"
"""What a conda package URL without ``repository_url`` means."""

_ARCHIVE = re.compile(r"\.(conda|tar\.bz2)$")
_RESERVED = ("defaults", "local")
_SEGMENT = re.compile(r"[A-Za-z0-9_.~-]+", re.ASCII)


def conda_purl(package: LockedPackage) -> str:
    """Return the package URL of a conda package.

    One of the release's own channel has neither namespace nor ``repository_url``, since nothing says where
    that channel is. Its hash makes it unique.
    """
    qualifiers = {"build": package.build, "subdir": package.subdir}
    found = _ARCHIVE.search(package.file_name)
    if found is not None:
        qualifiers["type"] = found[1]
    namespace = ""
    if package.is_local:
        qualifiers["checksum"] = f"sha256:{package.sha256}"
    else:
        repository, namespace = _place(clean_url(package.channel))
        if repository != DEFAULT_REPOSITORY:
            qualifiers["repository_url"] = repository
    return _purl("conda", namespace, package.name, package.version, qualifiers)


def wheel_purl(name: str, version: str, file_name: str) -> str:
    """Return the package URL of a wheel of the Python index; ``name`` is the project's normalised one."""
    return _purl("pypi", "", name, version, {"file_name": file_name})


def _place(channel: str) -> tuple[str, str]:
    """Return the ``repository_url`` and the namespace of a channel; the latter may be empty."""
    parts = urlsplit(channel)
    path = [unquote(segment) for segment in parts.path.strip("/").split("/")]
    namespace = "/".join(path)
    if parts.scheme == "file" or namespace in _RESERVED or not all(map(_SEGMENT.fullmatch, path)):
        return channel.rstrip("/"), ""
    return f"{parts.scheme}://{parts.netloc}", namespace


def _purl(kind: str, namespace: str, name: str, version: str, qualifiers: Mapping[str, str]) -> str:
    place = "".join(f"{_encoded(segment)}/" for segment in namespace.split("/") if segment)
    # ECMA-427, 5.4, leaves colons as they are; CEP 49 encodes those of URLs.
    query = "&".join(
        f"{key}={quote(value, safe='') if '://' in value else _encoded(value)}"
        for key, value in sorted(qualifiers.items())
        if value
    )
    return f"pkg:{kind}/{place}{_encoded(name)}@{_encoded(version)}?{query}"


def _encoded(text: str) -> str:
    return quote(text, safe=":")
