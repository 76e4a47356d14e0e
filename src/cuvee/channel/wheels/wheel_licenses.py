"""The licence of a wheel as an SPDX expression, where its metadata is unambiguous (PEP 639)."""

import re
from collections.abc import Mapping

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from cuvee.channel.wheels.core_metadata import CoreMetadata
from cuvee.spdx import from_classifier, spelled

_FAMILIES = {
    "bsd": "BSD License",
    "bsd license": "BSD License",
    "apache": "Apache Software License",
    "apache license": "Apache Software License",
    "apache software license": "Apache Software License",
}
"""Values of the License field that name only a family."""

_MAIN_FILE = re.compile(r"(?i)(licen[sc]e|copying)(\.(txt|md|rst))?")
_LONGEST_PHRASE = 120


def license_expression(metadata: CoreMetadata, files: Mapping[str, bytes]) -> str | None:
    """Return an SPDX expression, or `None` if the metadata is ambiguous.

    License-Expression comes first, then the License field, then classifiers. The main one of the licence
    ``files``, by name, distinguishes the licences of the BSD and Apache families.
    """
    for text in (metadata.license_expression, metadata.license_text):
        if text and (found := _phrase(text)):
            return found
    families = {
        leaf
        for family, _, leaf in (classifier.rpartition(" :: ") for classifier in metadata.classifiers)
        if family.startswith("License") and leaf != "OSI Approved"
    }
    if not families:
        families = {_FAMILIES.get(metadata.license_text.strip().lower(), "")}
    if len(families) != 1:
        return None  # whether AND or OR combines them is not stated
    leaf = families.pop()
    return from_classifier(leaf) or _by_text(leaf, files)


def _phrase(text: str) -> str | None:
    phrase = " ".join(text.split())
    if not phrase or len(phrase) > _LONGEST_PHRASE or phrase.lower() in _FAMILIES:
        return None
    if (known := spelled(phrase)) is not None:
        return known
    try:
        return canonicalize_license_expression(phrase)
    except InvalidLicenseExpression:
        return None


def _by_text(leaf: str, files: Mapping[str, bytes]) -> str | None:
    texts = [data for name, data in files.items() if _MAIN_FILE.fullmatch(name)]
    if len(texts) != 1:
        return None
    text = b" ".join(texts[0].lower().split())
    if leaf == "Apache Software License" and b"apache license" in text and b"version 2.0" in text:
        return "Apache-2.0"
    if leaf == "BSD License" and b"redistribution and use in source and binary forms" in text:
        return "BSD-3-Clause" if b"endorse or promote" in text else "BSD-2-Clause"
    return None
