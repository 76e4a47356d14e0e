"""Where a release comes from: what was made from what, by which versions.

The form is a statement of in-toto with the predicate of SLSA. It has no time: the same release gives the
same bytes. https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md,
https://slsa.dev/spec/v1.1/provenance.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cuvee.approvals.approval_statement import STATEMENT_TYPE, signed_envelope
from cuvee.approvals.person_key import PublicKeyText
from cuvee.codec import Json
from cuvee.files import canonical_json, parse_json

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:cuvee:release:1"
"""What the parameters mean: docs/reference/trust.md describes them."""

BUILDER = "urn:cuvee:builder:1"
"""cuvee, run by those who sign. Nothing else answers for the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Something that a release was made of, or that was made on the way.

    Attributes
    ----------
    name
        A file name, or what people call it.
    uri
        A package URL, or the URL of a source; empty if nothing names it.
    location
        Where it was fetched from, without secrets; empty if that is not recorded.
    digests
        Hex digests by algorithm; empty if none is recorded.
    notes
        More that is known of it.
    """

    name: str
    uri: str = ""
    location: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the resource as in-toto has it."""
        found: dict[str, Any] = {
            "name": self.name,
            "uri": self.uri,
            "downloadLocation": self.location,
            "digest": dict(self.digests),
            "annotations": dict(self.notes),
        }
        return {key: value for key, value in found.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceStatement:
    """What is known of how the files of a release came about.

    Attributes
    ----------
    subjects
        The SHA-256 of each file that is handed out, by path in the release folder.
    parameters
        All that decided what was made, besides the materials.
    materials
        What it was made of.
    byproducts
        What was made on the way.
    tools
        Versions, by name.
    """

    subjects: Mapping[str, str]
    parameters: Mapping[str, Json]
    materials: tuple[Resource, ...]
    byproducts: tuple[Resource, ...]
    tools: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """Return the statement."""
        return canonical_json(
            {
                "_type": STATEMENT_TYPE,
                "subject": [
                    {"name": path, "digest": {"sha256": sha256}}
                    for path, sha256 in sorted(self.subjects.items())
                ],
                "predicateType": PREDICATE_TYPE,
                "predicate": {
                    "buildDefinition": {
                        "buildType": BUILD_TYPE,
                        "externalParameters": dict(self.parameters),
                        "resolvedDependencies": _listed(self.materials),
                    },
                    "runDetails": {
                        "builder": {"id": BUILDER, "version": dict(self.tools)},
                        "byproducts": _listed(self.byproducts),
                    },
                },
            }
        )


def _listed(resources: Iterable[Resource]) -> list[dict[str, Any]]:
    return [item.to_json() for item in sorted(resources, key=lambda item: (item.name, item.uri))]


def envelope_line(statement: bytes, public: PublicKeyText, signature: bytes) -> bytes:
    """Return a signed statement as a line of JSON, as files ``*.intoto.jsonl`` have it."""
    envelope = parse_json(signed_envelope(statement, public, signature).to_bytes())
    return f"{json.dumps(envelope, sort_keys=True, separators=(',', ':'))}\n".encode()
