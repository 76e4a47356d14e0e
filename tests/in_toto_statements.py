"""Statements as the library of in-toto reads them: unknown members and missing ones are errors."""

from typing import Any

from google.protobuf import json_format  # type: ignore[import-untyped]
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2  # type: ignore[import-untyped]
from in_toto_attestation.v1 import statement_pb2  # type: ignore[import-untyped]
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor  # type: ignore[import-untyped]
from in_toto_attestation.v1.statement import Statement  # type: ignore[import-untyped]

from cuvee.channel.wheels.index_comparison import imported_wheel
from cuvee.release.provenance_stage import provenance_of
from cuvee.release.record import Release


def stated_provenance(release: Release, platform: str) -> bytes:
    """Return the statement of one platform of a release, whose wheels its archives name."""
    lock = release.lock.by_platform[platform]
    return provenance_of(
        release, lock, lambda item: imported_wheel(item, release.folder / item.url)
    ).to_bytes()


def read_statement(data: bytes) -> Any:
    """Return a statement that the library has validated."""
    parsed = statement_pb2.Statement()
    json_format.Parse(data, parsed)
    Statement.copy_from_pb(parsed).validate()
    return parsed


def read_provenance(data: bytes) -> Any:
    """Return the provenance of a statement; members that SLSA does not know are errors."""
    predicate = json_format.MessageToJson(read_statement(data).predicate)
    found = provenance_pb2.Provenance()
    json_format.Parse(predicate, found)
    assert found.build_definition.build_type
    assert found.build_definition.external_parameters
    assert found.run_details.builder.id
    for item in found.build_definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(item).validate()
    return found
