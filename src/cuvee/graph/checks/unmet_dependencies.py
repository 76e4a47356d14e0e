"""Why a dependency is not met: no such name, version or build, another platform, or outside of the floor."""

import enum

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.release_graph import Edge, PlatformGraph, ReleaseGraph, meets
from cuvee.graph.truncation import shorten_list

_SHOWN = 3


class UnmetKind(enum.Enum):
    """Why a dependency is not met, by the nearest candidate."""

    NAME = "no-such-name"
    VERSION = "no-such-version"
    BUILD = "no-such-build"
    PLATFORM = "only-on-other-platforms"
    FLOOR = "only-outside-the-floor"
    NOT_LOCKED = "not-locked"


def missing_names(release: ReleaseGraph) -> frozenset[str]:
    """Return the names of all dependencies that the set does not meet."""
    edges = (edge for graph in release.platforms for edge in graph.edges)
    return frozenset(
        edge.target for edge in edges if edge.target and not edge.satisfied and not edge.is_virtual
    )


def unmet_reason(release: ReleaseGraph, graph: PlatformGraph, edge: Edge) -> tuple[UnmetKind, str]:
    """Return why, as a class and as the end of the sentence ``No package of the set meets 'spec': …``.

    Compares the spec with the set, other platforms' sets, and the channels' records where those are known.
    """
    name = edge.target or ""
    available = release.available.get((graph.platform, name), ())
    fitting = [record for record in available if meets(edge.spec, record)]
    if fitting:
        return _not_taken(graph, fitting)
    here = [package for package in graph.lock.packages if package.name == name]
    if here or available:
        source = "the set has" if here else "channels have"
        return _nearest(edge.spec, here or list(available), source)
    platforms = {other.platform for other in release.platforms if name in other.lock.by_name}
    platforms |= {platform for platform, known in release.available if known == name}
    elsewhere = sorted(platforms - {graph.platform})
    if elsewhere:
        return UnmetKind.PLATFORM, f"{name} is only on {', '.join(elsewhere)}"
    return UnmetKind.NAME, "there is no package of that name"


def _not_taken(graph: PlatformGraph, fitting: list[LockedPackage]) -> tuple[UnmetKind, str]:
    """Return whether the floor excludes all candidates, or they were not locked for another reason."""
    excluded = {record.stem: _beyond_floor(graph, record) for record in fitting}
    if all(excluded.values()):
        stem, spec = next((stem, specs[0]) for stem, specs in excluded.items())
        return UnmetKind.FLOOR, f"only builds beyond the floor do; {stem} needs {spec}"
    stems = [stem for stem, specs in excluded.items() if not specs]
    return UnmetKind.NOT_LOCKED, f"a channel has {shorten_list(stems, _SHOWN)}, which is not locked"


def _beyond_floor(graph: PlatformGraph, record: LockedPackage) -> list[str]:
    offered = graph.lock.virtual_packages
    return [
        text
        for text in record.depends
        if read_spec(text).name.startswith("__") and not any(meets(text, item) for item in offered)
    ]


def _nearest(text: str, records: list[LockedPackage], source: str) -> tuple[UnmetKind, str]:
    spec = read_spec(text).matcher
    any_build = f"{read_spec(text).name} {spec.version or '*'}" if spec is not None else text
    fitting = [record for record in records if meets(any_build, record)]
    kind, what = (UnmetKind.BUILD, "build") if fitting else (UnmetKind.VERSION, "version")
    stems = [record.stem for record in fitting or records]
    return kind, f"no such {what}, {source} {shorten_list(stems, _SHOWN)}"
