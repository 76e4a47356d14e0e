"""The order in which the packages of a lock are linked; where two claim a path, the later one wins it."""

from collections.abc import Iterable

from cuvee.lock.model import LockedPackage


def link_order(packages: Iterable[LockedPackage]) -> list[str]:
    """Give names in the order in which rattler links: dependencies first."""
    import rattler

    records = [
        rattler.PackageRecord(
            package.name,
            package.version,
            rattler.BuildString(package.build),
            package.build_number,
            package.subdir,
            depends=list(package.depends),
        )
        for package in packages
    ]
    return [record.name.normalized for record in rattler.PackageRecord.sort_topologically(records)]
