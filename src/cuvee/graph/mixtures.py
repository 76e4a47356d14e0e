"""Mixtures of two locks of one platform: which packages can be taken from the newer one without which others.

Each requirement is about two packages: the one that states it and the one that it names. Both locks meet all
of theirs. So a mixture can only fail because one of the two was taken from the newer lock and the other was
not, and each such pair means "with this one, that one must be taken, too". Mixtures that take whatever their
packages need are consistent, and no solver is necessary to find them.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.release_graph import meets
from cuvee.lock.model import PlatformLock

_Packages = Mapping[str, LockedPackage]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedUnit:
    """Packages that differ between two locks, and can only be taken together.

    Attributes
    ----------
    names
        Sorted; most often one.
    needs
        The positions of all units without which this one cannot be taken. They come before it.
    """

    names: tuple[str, ...]
    needs: frozenset[int] = frozenset()


def changed_units(old: PlatformLock, new: PlatformLock) -> tuple[ChangedUnit, ...]:
    """Return what differs between two locks, so that the first N units can be taken for any N."""
    import networkx as nx

    changed = _changed(old.by_name, new.by_name)
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(changed)
    graph.add_edges_from(_implications(old.by_name, new.by_name, changed))
    condensed = nx.condensation(graph)
    names = {node: tuple(sorted(condensed.nodes[node]["members"])) for node in condensed}
    order = list(nx.lexicographical_topological_sort(condensed.reverse(copy=False), key=names.__getitem__))
    position = {node: number for number, node in enumerate(order)}
    return tuple(
        ChangedUnit(
            names=names[node],
            needs=frozenset(position[other] for other in nx.descendants(condensed, node)),
        )
        for node in order
    )


def with_needs(units: tuple[ChangedUnit, ...], positions: Collection[int]) -> frozenset[int]:
    """Return units and all that they need."""
    return frozenset(positions).union(*(units[number].needs for number in positions))


def mixture(
    old: PlatformLock, new: PlatformLock, units: tuple[ChangedUnit, ...], taken: Collection[int]
) -> PlatformLock:
    """Return the older lock with some units of the newer one; ``taken`` must have all that they need."""
    names = {name for number in taken for name in units[number].names}
    packages = {name: package for name, package in old.by_name.items() if name not in names}
    packages |= {name: new.by_name[name] for name in names if name in new.by_name}
    return replace(old, packages=tuple(packages[name] for name in sorted(packages)))


def unmet(lock: PlatformLock) -> Iterator[tuple[str, str]]:
    """Yield each package with a spec of its own that the others do not meet, but for virtual packages."""
    for package in lock.packages:
        for text in package.depends:
            target = read_spec(text).name
            if not target.startswith("__") and not _is_met(text, lock.by_name.get(target)):
                yield package.name, text
        for text in package.constrains:
            if not _is_respected(text, lock.by_name.get(read_spec(text).name)):
                yield package.name, text


def _changed(old: _Packages, new: _Packages) -> list[str]:
    return sorted(name for name in {*old, *new} if not _is_same(old.get(name), new.get(name)))


def _is_same(old: LockedPackage | None, new: LockedPackage | None) -> bool:
    """Whether two packages are one archive with the same metadata, which a channel may have corrected."""
    return (
        old is not None
        and new is not None
        and (old.sha256, old.depends, old.constrains) == (new.sha256, new.depends, new.constrains)
    )


def _implications(old: _Packages, new: _Packages, changed: list[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names of which the first cannot be taken without the second."""
    targets = frozenset(changed)
    for name in changed:
        yield from ((name, target) for target in _refused(new.get(name), old, targets))
        yield from ((target, name) for target in _refused(old.get(name), new, targets))


def _refused(package: LockedPackage | None, others: _Packages, targets: frozenset[str]) -> Iterator[str]:
    """Yield which of ``targets`` a package does not accept as they are in the other lock."""
    if package is None:
        return
    for text in package.depends:
        target = read_spec(text).name
        if target in targets and target != package.name and not _is_met(text, others.get(target)):
            yield target
    for text in package.constrains:
        target = read_spec(text).name
        if target in targets and target != package.name and not _is_respected(text, others.get(target)):
            yield target


def _is_met(text: str, package: LockedPackage | None) -> bool:
    return package is not None and meets(text, package)


def _is_respected(text: str, package: LockedPackage | None) -> bool:
    return package is None or meets(text, package)
