"""The release graph: per platform, each dependency and the record that satisfies it.

It is built only from the lock: verifying a pinned set needs no solver, no disk and no network.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from cuvee.conda.match_spec import read_spec, read_version
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.rattler_records import RecordKey, read_key
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.data_frames import frame_of
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import Manifest, Requirement

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd

    from cuvee.build.model import RecipeFacts
    from cuvee.channel.inspection.inspect_release import Inspection
    from cuvee.channel.model import Absent
    from cuvee.channel.source_comparison import SourceComparison
    from cuvee.graph.checks.check_interface import CheckOutcome
    from cuvee.graph.prefix_contents import PrefixContents


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One entry of a package's ``depends``.

    Attributes
    ----------
    spec
        As the package states it.
    target
        The required name, such as ``__glibc`` for a virtual package; `None` if the spec cannot be read.
    found
        Versions (``name-version-build``) of that name in the set.
    satisfied
        Whether one of them meets the spec.
    """

    source: LockedPackage
    spec: str
    target: str | None
    found: tuple[str, ...]
    satisfied: bool

    @property
    def is_virtual(self) -> bool:
        """Whether it requires something of the operating system."""
        return self.target is not None and self.target.startswith("__")


@dataclass(frozen=True, kw_only=True)
class PlatformGraph:
    """The closure of one platform.

    ``contents`` is what the archives contain; `None` if they were not opened.
    """

    lock: PlatformLock
    edges: tuple[Edge, ...]
    contents: PrefixContents | None = None

    @cached_property
    def graph(self) -> nx.DiGraph[str]:
        """The closure as a graph: a node per package name, with the `LockedPackage` as ``package``.

        An edge goes from each package to each that satisfies one of its dependencies; ``spec`` is its text.
        """
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        for package in self.lock.packages:
            graph.add_node(package.name, package=package)
        for edge in self.edges:
            if edge.satisfied and edge.target is not None and not edge.is_virtual:
                graph.add_edge(edge.source.name, edge.target, spec=edge.spec)
        return graph

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.lock.platform

    @cached_property
    def requires(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the packages that each package depends on directly."""
        found: dict[str, list[str]] = {package.name: [] for package in self.lock.packages}
        for edge in self.edges:
            if edge.satisfied and edge.target is not None and not edge.is_virtual:
                found[edge.source.name].append(edge.target)
        return {name: tuple(dict.fromkeys(targets)) for name, targets in found.items()}

    @cached_property
    def _dependents(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for source, targets in self.requires.items():
            for target in targets:
                found.setdefault(target, []).append(source)
        return {name: tuple(sorted(sources)) for name, sources in found.items()}

    def required_by(self, name: str) -> tuple[str, ...]:
        """Return the names of the packages that depend on ``name`` directly."""
        return self._dependents.get(name, ())

    def excluded_by(self, text: str) -> LockedPackage | None:
        """Return the package of the set that a match spec names and does not match, if there is one."""
        package = self.lock.by_name.get(read_spec(text).name)
        return None if package is None or meets(text, package) else package

    def contradictions(self) -> Iterator[tuple[LockedPackage, str, LockedPackage]]:
        """Yield each package with each of its ``constrains`` that excludes a package, and that package."""
        for package in self.lock.packages:
            for text in package.constrains:
                other = self.excluded_by(text)
                if other is not None:
                    yield package, text, other


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformTests:
    """What was tested on one platform.

    Attributes
    ----------
    has_installer
        Whether the release hands out an installer for it.
    ran
        The suites of which at least one test was run.
    not_run
        Why nothing was run; empty if something was.
    reasons
        Why tests of a suite were not run, by the suite.
    tests
        The names of all tests, ``suite/test``, also of those that were not run.
    passed
        Those that passed.
    """

    platform: str
    has_installer: bool
    ran: frozenset[str] = frozenset()
    not_run: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)
    tests: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedFailure:
    """Tests whose failure is accepted before they are run, by a waiver or in a file of ``integration_tests``.

    Attributes
    ----------
    pattern
        ``suite/test``, which may be a glob pattern.
    platforms
        Those on which it is accepted; empty for all.
    what, source
        What accepts it, such as ``known failure``, and where that is stated.
    until
        The last day; `None` for none, or if another check watches it.
    passing_is_news
        Whether these tests are expected to fail, so that one that passes is reported.
    """

    pattern: str
    platforms: tuple[str, ...] = ()
    what: str
    source: str
    until: dt.date | None = None
    passing_is_news: bool = False

    def covers(self, name: str) -> bool:
        """Whether a test with this name is one of them."""
        return name == self.pattern or fnmatch.fnmatchcase(name, self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseGraph:
    """The input of all checks: the manifest, the lock, and the graph of each platform.

    Attributes
    ----------
    additions
        What cuvee requests for its own needs, each with its reason.
    base
        The lock of the release that this one is based on; `None` if there is none, or it was not found.
    available
        The records that channels have of names that the lock lacks, by platform and name; empty unless
        channels were queried.
    today
        When the checks are run, timezone-aware; `None` if age is not to be judged.
    sources
        What the channels and the index say of the packages today; `None` if they were not looked at.
    earlier
        What the checks before this one have found.
    tests
        What was tested, with a member for each platform that the manifest wants; `None` before the tests.
    accepted
        The tests that may fail.
    unowned_suites
        The suites that have no owner.
    recipes
        What is known of the manifest's recipes; `None` if nothing was built.
    """

    manifest: Manifest
    lock: Lock
    absent: tuple[Absent, ...]
    platforms: tuple[PlatformGraph, ...]
    additions: tuple[Requirement, ...] = ()
    base: Lock | None = None
    available: Mapping[tuple[str, str], tuple[LockedPackage, ...]] = field(default_factory=dict)
    today: dt.datetime | None = None
    sources: SourceComparison | None = None
    earlier: tuple[CheckOutcome, ...] = ()
    tests: tuple[PlatformTests, ...] | None = None
    accepted: tuple[AcceptedFailure, ...] = ()
    unowned_suites: tuple[str, ...] = ()
    recipes: RecipeFacts | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas frame with a row for each dependency of each package on each platform."""
        return frame_of(edge for graph in self.platforms for edge in graph.edges)

    def packages(self) -> Iterator[LockedPackage]:
        """Yield the packages of all platforms."""
        return chain.from_iterable(graph.lock.packages for graph in self.platforms)

    def requested(self, platform: str) -> tuple[Requirement, ...]:
        """Return what is requested on one platform: by the manifest, and by cuvee for its own needs."""
        return self.manifest.requirements(platform, self.additions)

    def owners_of(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the owners of the requested packages among ``names``."""
        found = set(names)
        owners = {package.owner for package in self.manifest.packages if package.name in found}
        return tuple(sorted(owner for owner in owners if owner))


def build_graph(
    manifest: Manifest,
    lock: Lock,
    absent: Iterable[Absent] = (),
    *,
    additions: tuple[Requirement, ...] = (),
    base: Lock | None = None,
    today: dt.datetime | None = None,
) -> ReleaseGraph:
    """Return the graph of every platform of a lock."""
    return ReleaseGraph(
        manifest=manifest,
        lock=lock,
        absent=tuple(absent),
        platforms=tuple(platform_graph(platform) for platform in lock.platforms),
        additions=additions,
        base=base,
        today=today,
    )


def with_contents(graph: ReleaseGraph, inspection: Inspection) -> ReleaseGraph:
    """Return a graph with the contents of its archives."""
    from cuvee.graph.prefix_contents import contents_of

    platforms = (replace(item, contents=contents_of(item.lock, inspection)) for item in graph.platforms)
    return replace(graph, platforms=tuple(platforms))


def platform_graph(lock: PlatformLock) -> PlatformGraph:
    """Return the graph of one platform."""
    found: dict[str, list[LockedPackage | VirtualPackage]] = {}
    for package in lock.packages:
        found.setdefault(package.name, []).append(package)
    for virtual in lock.virtual_packages:
        found.setdefault(virtual.name, []).append(virtual)
    candidates = {name: _candidates(items) for name, items in found.items()}
    edges = tuple(_edge(package, text, candidates) for package in lock.packages for text in package.depends)
    return PlatformGraph(lock=lock, edges=edges)


_Candidates: TypeAlias = tuple[tuple[str, ...], tuple[RecordKey, ...]]
"""The records of one name on a platform: as text, and as keys for matching."""


def _candidates(items: Iterable[LockedPackage | VirtualPackage]) -> _Candidates:
    labels = (item.stem if isinstance(item, LockedPackage) else str(item) for item in items)
    return tuple(labels), tuple(_key(item) for item in items)


def _edge(package: LockedPackage, text: str, candidates: Mapping[str, _Candidates]) -> Edge:
    target = read_spec(text).name or None
    labels, keys = candidates.get(target or "", ((), ()))
    satisfied = False
    for key in keys:  # the innermost loop of all checks: a generator would double its time
        satisfied = satisfied or _meets(text, key)
    return Edge(source=package, spec=text, target=target, found=labels, satisfied=satisfied)


def meets(text: str, package: LockedPackage | VirtualPackage) -> bool:
    """Return whether a package matches a match spec; what cannot be read matches nothing.

    Answers are cached, since the platforms of a release have most specs in common.
    """
    return _meets(text, _key(package))


def forget_matches() -> None:
    """Clear all cached answers, for measurements."""
    for kept in (read_spec, read_version, read_key, _meets):
        kept.cache_clear()


def unreadable_because(package: LockedPackage) -> str | None:
    """Return why a record's name, version, build or number cannot be read; `None` if they can."""
    found = read_key(_key(package))
    return found if isinstance(found, str) else None


def _key(package: LockedPackage | VirtualPackage) -> RecordKey:
    if isinstance(package, VirtualPackage):
        return RecordKey(package.name, package.version, package.build)
    return RecordKey(package.name, package.version, package.build, package.build_number, package.subdir)


@lru_cache(maxsize=1 << 18)
def _meets(text: str, key: RecordKey) -> bool:
    spec, record = read_spec(text).matcher, read_key(key)
    return spec is not None and not isinstance(record, str) and spec.matches(record)
