"""The certificate of a release: written by the check stage."""

from collections.abc import Mapping, Sequence

from cuvee.files import write_bytes
from cuvee.graph.certificate import CertifiedRecord, build_certificate
from cuvee.graph.checks import ALL_CHECKS, CheckOutcome
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.release.certificate_inputs import certificate_inputs
from cuvee.release.workspace import Workspace

_FILE_FAMILY = "files"


def write_certificate(
    workspace: Workspace,
    graph: ReleaseGraph,
    results: Sequence[CheckOutcome],
    metapackages: Sequence[CertifiedRecord],
) -> Mapping[str, Sequence[str]]:
    """Write ``checks/certificate.json``; return the platforms that it cannot certify, and why."""
    identifiers = {check.identifier for check in ALL_CHECKS if check.family == _FILE_FAMILY}
    data, refused = build_certificate(
        graph,
        certificate_inputs(workspace, graph.manifest, graph.lock),
        [result for result in results if result.identifier in identifiers],
        metapackages,
    )
    write_bytes(workspace.certificate_file, data)
    return refused
