"""The records of channels, converted name by name: there are many, and a solve needs few of them."""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage, Record
from cuvee.conda.rattler_records import from_gateway, matchable
from cuvee.graph.solving.pool import Pool

if TYPE_CHECKING:
    from rattler import PackageRecord, RepoDataRecord

NEWER = "__cuvee-newer"
HIDDEN = "__cuvee-hidden"
"""Names of packages that do not exist. Records that `exclude-newer` or the order of the channels leaves out
depend on them. So leaving these records out is a soft constraint like any other."""


class ChannelIndex:
    """The records of one channel by name, kept as rattler's until they are needed."""

    def __init__(self, records: "Iterable[RepoDataRecord]") -> None:
        self._found: dict[str, list[RepoDataRecord]] = {}
        self._by_file: dict[str, dict[str, RepoDataRecord]] = {}
        for record in records:
            self._found.setdefault(record.name.normalized, []).append(record)
        self._size = sum(map(len, self._found.values()))

    def __iter__(self) -> Iterator[Record]:
        """Yield all records, those of one name together."""
        for name in self._found:
            yield from self.of(name)

    def __len__(self) -> int:
        return self._size

    @property
    def names(self) -> Collection[str]:
        """The names that the channel has."""
        return self._found.keys()

    def of(self, name: str) -> list[Record]:
        """Return the records of one name; of ``.conda`` and ``.tar.bz2`` twins, the ``.conda``."""
        return from_gateway(self._found.get(name, ()))

    def raw(self, name: str) -> "Sequence[RepoDataRecord]":
        """Return rattler's records of one name."""
        return self._found.get(name, ())

    def by_file(self, name: str) -> "Mapping[str, RepoDataRecord]":
        """Return rattler's records of one name, by the archive's file name."""
        if name not in self._by_file:
            self._by_file[name] = {record.file_name: record for record in self.raw(name)}
        return self._by_file[name]

    def system_specs(self) -> set[str]:
        """Return the specs of virtual packages that any record depends on: ``__glibc >=2.17``."""
        return {
            text
            for records in self._found.values()
            for record in records
            for text in record.depends
            if text.startswith("__")
        }


class LazyPool(Pool):
    """A pool that numbers the records of a name when the name is first used; they get consecutive numbers.

    Parameters
    ----------
    indexes
        The channels, in the order of their priority.
    offered
        Records that are not of a channel.
    newest
        Later records depend on `NEWER`.
    """

    def __init__(
        self, indexes: Sequence[ChannelIndex], offered: Sequence[Record], newest: dt.datetime | None
    ) -> None:
        super().__init__(offered)
        self._indexes = indexes
        self._locked: dict[tuple[str, str, str], tuple[Record, PackageRecord] | None] = {}
        self._limit = None if newest is None else newest.timestamp() * 1000
        self._all = list(self.records)
        self.records = self._all

    def is_met(self, spec: str) -> bool:
        """Whether a record meets ``spec``; converts as few records as possible."""
        read = read_spec(spec)
        if read.matcher is not None and not read.channel:
            raw = (record for index in self._indexes for record in index.raw(read.name))
            if any(map(read.matcher.matches, raw)):
                return True
        return bool(self.candidates(spec))

    def locked(self, package: LockedPackage) -> "tuple[Record, PackageRecord] | None":
        """Return the record of a locked package, ours and rattler's; convert no others of its name."""
        key = (package.name, package.file_name, package.sha256)
        if key not in self._locked:
            self._locked[key] = self._found(package)
        return self._locked[key]

    def _found(self, package: LockedPackage) -> "tuple[Record, PackageRecord] | None":
        digest, twin = bytes.fromhex(package.sha256), f"{package.stem}.conda"
        for number, index in enumerate(self._indexes):
            by_file = index.by_file(package.name)
            raw = by_file.get(package.file_name)
            if raw is not None and raw.sha256 == digest:
                if package.file_name != twin and twin in by_file:
                    return None
                (record,) = from_gateway([raw])
                return self._gated(record, is_hidden=self._is_hidden(package.name, number)), raw
        return None

    def _is_hidden(self, name: str, number: int) -> bool:
        return any(name in other.names for other in self._indexes[:number])

    def numbers_of(self, name: str) -> range:
        """Return the numbers of the records of a name, which are converted on first use."""
        known = self.by_name.get(name)
        if known is None:
            found: list[Record] = []
            for number, index in enumerate(self._indexes):
                hidden = self._is_hidden(name, number)
                found += (self._gated(record, is_hidden=hidden) for record in index.of(name))
            start = len(self._all)
            self._all += self._sorted(found)
            known = self.by_name[name] = range(start, len(self._all))
        return known

    def _gated(self, record: Record, *, is_hidden: bool) -> Record:
        """Return the record, with a dependency on `HIDDEN` or `NEWER` if the problem leaves it out."""
        gates = [HIDDEN] if is_hidden else []
        gates += [NEWER] if self._limit is not None and (record.timestamp or 0) > self._limit else []
        return replace(record, depends=(*record.depends, *gates)) if gates else record

    def _matchable_of(self, name: str) -> "list[PackageRecord]":
        """Return rattler's own records, which need no conversion."""
        raw = {
            (str(record.channel or "").rstrip("/"), str(record.subdir), record.file_name): record
            for index in self._indexes
            for record in index.raw(name)
        }
        records = [self._all[number] for number in self.numbers_of(name)]
        return [
            raw.get((record.channel, record.subdir, record.file_name)) or matchable(record)
            for record in records
        ]
