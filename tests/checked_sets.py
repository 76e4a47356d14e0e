"""Small locks and manifests for tests of checks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cuvee.channel.source_comparison import SourceComparison
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.graph.checks import ALL_CHECKS, CheckOutcome, run_checks
from cuvee.graph.findings import Finding
from cuvee.graph.release_graph import build_graph
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import (
    Installers,
    Manifest,
    Owner,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
    Waiver,
)

__all__ = ["HERE", "asked", "finding", "lock_of", "manifest_of", "only", "package", "results", "waiver"]

HERE = Position(file=Path("tiny/2026.11.0.yaml"), line=7, column=3)
GLIBC = VirtualPackage(name="__glibc", version="2.28")


def package(name: str, version: str = "1.0", build: str = "0", **changes: Any) -> LockedPackage:
    """A record on linux-64; ``changes`` are attributes."""
    platform = changes.get("platform", "linux-64")
    made = LockedPackage(
        name=name,
        version=version,
        build=build,
        build_number=0,
        platform=platform,
        subdir=changes.get("subdir", platform),
        url=f"channel/{platform}/{name}-{version}-{build}.conda",
        channel="channel",
        sha256="0" * 64,
        license="MIT",
    )
    return replace(made, **changes)


def lock_of(*packages: LockedPackage) -> Lock:
    """A lock with the packages' platforms, in their order."""
    return Lock(
        platforms=tuple(
            PlatformLock(
                platform=platform,
                packages=tuple(item for item in packages if item.platform == platform),
                virtual_packages=(GLIBC,),
            )
            for platform in dict.fromkeys(item.platform for item in packages)
        )
    )


def asked(name: str, version: str = "*", **changes: Any) -> Requirement:
    """A line of the blessed set, owned."""
    requirement = Requirement(
        name=name, version=version, owner="core", platforms=("linux-64",), position=HERE
    )
    return replace(requirement, **changes)


def manifest_of(*requirements: Requirement, version: str = "2026.11.0", **changes: Any) -> Manifest:
    """A manifest with two platforms and one owner."""
    manifest = Manifest(
        path=Path(f"tiny/{version}.yaml"),
        distribution="tiny",
        version=ReleaseVersion.parse(version),
        title="Tiny",
        platforms=(PlatformEntry(name="linux-64", floor={}), PlatformEntry(name="win-64", floor={})),
        packages=requirements,
        installers=Installers(formats={}),
        owners=(Owner(name="core", contact="core@example.org"),),
    )
    return replace(manifest, **changes)


def waiver(check: str, **scope: str) -> Waiver:
    """A waiver that has not ended."""
    import datetime as dt

    expires = dt.date(2027, 1, 1)
    return Waiver(check=check, reason="known", author="qa", expires=expires, position=HERE, **scope)


def results(lock: Lock, manifest: Manifest | None = None, **graph: Any) -> dict[str, CheckOutcome]:
    """Run all checks; ``graph`` are attributes of the release graph."""
    release = replace(
        build_graph(manifest or manifest_of(), lock), **({"sources": SourceComparison()} | graph)
    )
    return {result.identifier: result for result in run_checks(release, ALL_CHECKS)}


def only(result: CheckOutcome) -> Finding:
    """Return the only finding of a check."""
    assert len(result.findings) == 1, result.findings
    return result.findings[0]


def finding(check: str, lock: Lock, manifest: Manifest | None = None, **graph: Any) -> Finding:
    """Run all checks, and give the only finding of one."""
    return only(results(lock, manifest, **graph)[check])
