"""The order in which the packages of a lock are linked: of two with the same path, the later one wins it."""

from collections.abc import Iterable

from cuvee.conda.package_record import Record
from cuvee.conda.rattler_records import package_record


def link_order(packages: Iterable[Record]) -> list[str]:
    """Return names in the order in which rattler links: dependencies first."""
    from rattler import PackageRecord

    records = PackageRecord.sort_topologically([package_record(package) for package in packages])
    return [record.name.normalized for record in records]
