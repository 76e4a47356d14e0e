"""Writing a certificate: records, edges, assumptions and hashes, a line each, so that two can be compared."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cuvee.conda.match_spec import read_spec
from cuvee.conda.url_secrets import without_secrets
from cuvee.files import sha256_bytes
from cuvee.graph.certificate.proof_steps import as_record
from cuvee.graph.checks.check_protocol import CheckOutcome, Status
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph

FORMAT = 1
_BLANK = "0" * 64
_DEPTH = 4
"""Levels of the file that have a line per entry; what is deeper shares the line."""

_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInputs:
    """Hex SHA-256 of what the release was made from.

    Attributes
    ----------
    manifests
        The manifest and all that it is based on, by file name.
    lock
        The ``pixi.lock``, byte for byte.
    repodata
        By ``<channel>/<subdir>``, for the channels whose repodata is a file that can be hashed.
    """

    manifests: Mapping[str, str]
    lock: str
    repodata: Mapping[str, str] = field(default_factory=dict)


def build_certificate(
    release: ReleaseGraph, inputs: CertificateInputs, file_checks: Sequence[CheckOutcome] = ()
) -> tuple[bytes, Mapping[str, Sequence[str]]]:
    """Write the certificate of a release.

    Parameters
    ----------
    file_checks
        What the checks found that compare the packages' paths; it is part of the certificate.

    Returns
    -------
    bytes
        The file. Its hash of itself is the SHA-256 of the file with that hash's 64 digits as zeros.
    mapping
        The platforms that can not be certified, and why: a waiver accepts a contradiction, but does not
        make it true that there is none.
    """
    reasons = {graph.platform: _reasons(graph, release) for graph in release.platforms}
    refused = {platform: found[:_MOST] for platform, found in reasons.items() if found}
    value = {
        "certificate": FORMAT,
        "sha256": _BLANK,
        "release": release.manifest.release_name,
        "inputs": {
            "manifests": dict(sorted(inputs.manifests.items())),
            "lock": inputs.lock,
            "repodata": dict(sorted(inputs.repodata.items())),
        },
        "channels": [without_secrets(name) for name in release.manifest.channels],
        "not_certified": refused,
        "platforms": {
            graph.platform: _platform(graph, release, file_checks)
            for graph in release.platforms
            if graph.platform not in refused
        },
    }
    blank = "".join(_lines(value, 0)).encode() + b"\n"
    return blank.replace(_BLANK.encode(), sha256_bytes(blank).encode(), 1), refused


def _platform(
    graph: PlatformGraph, release: ReleaseGraph, file_checks: Sequence[CheckOutcome]
) -> dict[str, list[Any] | dict[str, Any]]:
    met = {**_stems(graph), **{item.name: str(item) for item in graph.lock.virtual_packages}}
    manifest = release.manifest
    return {
        "virtual_packages": [
            {"name": item.name, "version": item.version, "build": item.build}
            for item in graph.lock.virtual_packages
        ],
        "requirements": [
            {"spec": item.spec, "met_by": met[item.name]} for item in release.requested(graph.platform)
        ],
        "constraints": [
            {"spec": item.spec, "met_by": met.get(item.name)}
            for item in manifest.constraints
            if not item.platforms or graph.platform in item.platforms
        ],
        "records": [as_record(package) for package in graph.lock.packages],
        "edges": [
            {"from": edge.source.stem, "spec": edge.spec, "to": met[edge.target or ""]}
            for edge in graph.edges
        ],
        "constrains": [
            {"from": package.stem, "spec": text, "to": met.get(read_spec(text).name)}
            for package in graph.lock.packages
            for text in package.constrains
        ],
        "files": _files(graph.platform, file_checks),
    }


def _files(platform: str, results: Iterable[CheckOutcome]) -> dict[str, Any]:
    checks = [item for item in results if item.status is not Status.SKIPPED]
    return {
        "checks": sorted(item.identifier for item in checks),
        "collisions": sorted(
            f"{finding.verdict.value}: {finding.cause}"
            for item in checks
            for finding in item.findings
            if platform in finding.platforms
        ),
    }


def _reasons(graph: PlatformGraph, release: ReleaseGraph) -> list[str]:
    """Give what makes the claim untrue on one platform."""
    stems = _stems(graph)
    found = [
        f"{name} is there {count} times"
        for name, count in _counts(package.name for package in graph.lock.packages).items()
        if count > 1
    ]
    found += [
        f"{edge.source.stem} depends on {edge.spec!r}, which nothing in the set meets"
        for edge in graph.edges
        if not edge.satisfied
    ]
    found += [
        f"{package.stem} constrains {text!r}, which {other.stem} does not meet"
        for package in graph.lock.packages
        for text in package.constrains
        if (other := graph.excluded_by(text)) is not None
    ]
    for item in release.requested(graph.platform):
        if item.name not in stems or graph.excluded_by(item.spec) is not None:
            found.append(f"the manifest asks for {item.spec!r}, which nothing in the set meets")
    for item in release.manifest.constraints:
        other = graph.excluded_by(item.spec)
        if other is not None:
            found.append(f"the manifest constrains {item.spec!r}, which {other.stem} does not meet")
    return found


def _stems(graph: PlatformGraph) -> dict[str, str]:
    return {package.name: package.stem for package in graph.lock.packages}


def _counts(names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _lines(value: Any, depth: int) -> Iterable[str]:
    """Give JSON with a line per entry down to `_DEPTH`, keys in the order that they are given in."""
    if depth == _DEPTH or not isinstance(value, dict | list) or not value:
        yield json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield opening
    for number, item in enumerate(value):
        yield ("," if number else "") + "\n" + " " * (depth + 1)
        if isinstance(value, dict):
            yield json.dumps(item, ensure_ascii=False) + ": "
            yield from _lines(value[item], depth + 1)
        else:
            yield from _lines(item, depth + 1)
    yield "\n" + " " * depth + closing
