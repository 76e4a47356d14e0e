"""What differs from the base of a release on one platform, and all that needs it."""

from cuvee.graph.dependency_paths import DependencyPaths
from cuvee.graph.release_graph import platform_graph
from cuvee.lock.model import Lock, PlatformLock


def changed_packages(lock: PlatformLock, base: Lock | None) -> frozenset[str]:
    """Return the names of packages that differ from the base, and of all that need them.

    Without a base there are none: it is not known what has changed.
    """
    if base is None:
        return frozenset()
    before = base.by_platform.get(lock.platform)
    known = {} if before is None else before.by_name
    changed = [
        package.name
        for package in lock.packages
        if (old := known.get(package.name)) is None
        or (old.stem, old.sha256) != (package.stem, package.sha256)
    ]
    if not changed:
        return frozenset()
    paths = DependencyPaths.of(platform_graph(lock))
    return frozenset(name for one in changed for name in paths.distances(one))
