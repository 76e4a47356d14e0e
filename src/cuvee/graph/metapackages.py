"""The packages by which users stay on a release: they have no files, and name the release's packages exactly.

A solver that is asked for one of them can only answer with the release's own builds. What is added later
cannot change these, and a wish that contradicts them has no solution, rather than a downgrade:
https://github.com/conda/conda/issues/2520
"""

from dataclasses import dataclass

from cuvee.conda.package_record import LockedPackage
from cuvee.files import fingerprint
from cuvee.graph.release_graph import PlatformGraph
from cuvee.manifest.model import Manifest

BASE_GROUP = "core"
"""The group of requested packages that ``<distribution>-base`` has, with python and all that they need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metapackage:
    """A package without files.

    Attributes
    ----------
    build
        Names what it depends on and constrains, so that caches never mix two of one version.
    subdir
        A platform: builds differ between them.
    timestamp
        That of the newest package that it names, in milliseconds since 1970 UTC.
    """

    name: str
    version: str
    build: str
    subdir: str
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    timestamp: int
    summary: str


def metapackage_names(distribution: str) -> tuple[str, str, str]:
    """Return the names of the three metapackages: of all packages, of the base, and of constraints only."""
    return distribution, f"{distribution}-base", f"{distribution}-constraints"


def metapackages(manifest: Manifest, graph: PlatformGraph) -> tuple[Metapackage, ...]:
    """Return the metapackages of one platform of a release; a release without a base has two."""
    complete, base, constraints = metapackage_names(manifest.distribution)
    title = f"{manifest.title} {manifest.version}"
    locked = graph.lock.packages
    core = _base(manifest, graph)
    return (
        _metapackage(complete, manifest, graph, depends=locked, summary=f"All packages of {title}."),
        *(
            (_metapackage(base, manifest, graph, depends=core, summary=f"The base of {title}."),)
            if core
            else ()
        ),
        _metapackage(
            constraints,
            manifest,
            graph,
            constrains=locked,
            summary=f"Holds what is installed of {title} to its versions, and installs nothing.",
        ),
    )


def exact_spec(package: LockedPackage) -> str:
    """Return the match spec that only this build meets: ``numpy ==2.4.1 py311h1234567_0``."""
    return f"{package.name} =={package.version} {package.build}"


def _base(manifest: Manifest, graph: PlatformGraph) -> tuple[LockedPackage, ...]:
    """Return python and the requested packages of the base's group, with all that they need."""
    requested = manifest.requirements(graph.platform)
    names = {item.name for item in requested if item.name == "python" or BASE_GROUP in item.groups}
    found: set[str] = set()
    left = sorted(names & graph.lock.by_name.keys())
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += graph.requires[name]
    return tuple(package for package in graph.lock.packages if package.name in found)


def _metapackage(
    name: str,
    manifest: Manifest,
    graph: PlatformGraph,
    *,
    depends: tuple[LockedPackage, ...] = (),
    constrains: tuple[LockedPackage, ...] = (),
    summary: str,
) -> Metapackage:
    packages = (*depends, *constrains)
    specs = tuple(map(exact_spec, depends)), tuple(map(exact_spec, constrains))
    return Metapackage(
        name=name,
        version=str(manifest.version),
        build=f"h{fingerprint([list(part) for part in specs])[:7]}_0",
        subdir=graph.platform,
        depends=specs[0],
        constrains=specs[1],
        timestamp=max((package.timestamp or 0 for package in packages), default=0),
        summary=summary,
    )
