"""Building a certificate from the release graph: records, dependencies, assumptions and hashes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cuvee.channel.source_comparison import SourceChange
from cuvee.conda.match_spec import read_spec
from cuvee.conda.url_secrets import without_secrets
from cuvee.graph.certificate.certificate_format import FORMAT, to_bytes
from cuvee.graph.certificate.model import (
    Certificate,
    CertificateInputs,
    CertifiedRecord,
    FileChecks,
    PlatformProof,
)
from cuvee.graph.checks.check_interface import CheckOutcome, Status
from cuvee.graph.checks.source_changes import unmet_by
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph

_MOST_REASONS = 20


def build_certificate(
    release: ReleaseGraph,
    inputs: CertificateInputs,
    file_checks: Sequence[CheckOutcome] = (),
    metapackages: Iterable[CertifiedRecord] = (),
) -> tuple[bytes, Mapping[str, Sequence[str]]]:
    """Build the certificate of a release.

    Parameters
    ----------
    file_checks
        The outcomes of the checks that compare the packages' paths; they are part of the certificate.
    metapackages
        Those of all platforms.

    Returns
    -------
    bytes
        The file.
    mapping
        The platforms that cannot be certified, and why: a waiver accepts a contradiction, but does not
        remove it.
    """
    reasons = {graph.platform: _reasons(graph, release) for graph in release.platforms}
    refused = {platform: tuple(found[:_MOST_REASONS]) for platform, found in reasons.items() if found}
    pinning = tuple(metapackages)
    certificate = Certificate(
        certificate=FORMAT,
        sha256="",
        release=release.manifest.release_name,
        inputs=CertificateInputs(
            manifests=dict(sorted(inputs.manifests.items())),
            lock=inputs.lock,
            repodata=dict(sorted(inputs.repodata.items())),
        ),
        channels=tuple(without_secrets(name) for name in release.manifest.channels),
        not_certified=refused,
        platforms={
            graph.platform: _platform(graph, release, file_checks, pinning)
            for graph in release.platforms
            if graph.platform not in refused
        },
    )
    return to_bytes(certificate), refused


def _platform(
    graph: PlatformGraph,
    release: ReleaseGraph,
    file_checks: Sequence[CheckOutcome],
    metapackages: Iterable[CertifiedRecord],
) -> PlatformProof:
    met = {package.name: package.stem for package in graph.lock.packages}
    met |= {item.name: str(item) for item in graph.lock.virtual_packages}
    return PlatformProof(
        virtual_packages=graph.lock.virtual_packages,
        requirements=tuple(
            {"spec": item.spec, "met_by": met[item.name]} for item in release.requested(graph.platform)
        ),
        constraints=tuple(
            {"spec": item.spec, "met_by": met.get(item.name)}
            for item in release.manifest.constraints
            if not item.platforms or graph.platform in item.platforms
        ),
        records=tuple(CertifiedRecord.of(package) for package in graph.lock.packages),
        edges=tuple(
            {"from": edge.source.stem, "spec": edge.spec, "to": met[edge.target or ""]}
            for edge in graph.edges
        ),
        constrains=tuple(
            {"from": package.stem, "spec": text, "to": met.get(read_spec(text).name)}
            for package in graph.lock.packages
            for text in package.constrains
        ),
        files=_files(graph.platform, file_checks),
        metapackages=tuple(item for item in metapackages if item.subdir == graph.platform),
    )


def _files(platform: str, outcomes: Iterable[CheckOutcome]) -> FileChecks:
    checks = [item for item in outcomes if item.status is not Status.SKIPPED]
    collisions = (
        f"{finding.verdict.value}: {finding.cause}"
        for item in checks
        for finding in item.findings
        if platform in finding.platforms
    )
    return FileChecks(
        checks=tuple(sorted(item.identifier for item in checks)), collisions=tuple(sorted(collisions))
    )


def _reasons(graph: PlatformGraph, release: ReleaseGraph) -> list[str]:
    """Return what makes the claim untrue on one platform."""
    found = [
        f"{name} is there {count} times"
        for name, count in Counter(package.name for package in graph.lock.packages).items()
        if count > 1
    ]
    found += [
        f"{edge.source.stem} depends on {edge.spec!r}, which nothing in the set meets"
        for edge in graph.edges
        if not edge.satisfied
    ]
    found += [
        f"{package.stem} constrains {text!r}, which {other.stem} does not meet"
        for package, text, other in graph.contradictions()
    ]
    for item in release.requested(graph.platform):
        if item.name not in graph.lock.by_name or graph.excluded_by(item.spec) is not None:
            found.append(f"the manifest asks for {item.spec!r}, which nothing in the set meets")
    for item in release.manifest.constraints:
        other = graph.excluded_by(item.spec)
        if other is not None:
            found.append(f"the manifest constrains {item.spec!r}, which {other.stem} does not meet")
    return [*found, *_withdrawn(graph, release)]


def _withdrawn(graph: PlatformGraph, release: ReleaseGraph) -> Iterator[str]:
    """Yield the records that the channels withdrew or replaced, or corrected so that the set is wrong."""
    for item in release.sources.changed if release.sources is not None else ():
        package, present = item.package, item.present
        if package.platform != graph.platform or package.is_local:
            continue
        if item.change is not SourceChange.CORRECTED:
            yield f"{package.stem} was {item.change.value} by its channel since it was locked"
        elif present is not None:
            yield from (f"by the present record of {package.stem} {why}" for why in unmet_by(graph, present))
