"""The pool: every record that may be installed, and which of them a match spec matches."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from cuvee.conda.match_spec import read_spec, read_version
from cuvee.conda.package_record import Record, RecordProblem
from cuvee.conda.rattler_records import matchable
from cuvee.conda.virtual_packages import VirtualPackage

if TYPE_CHECKING:
    from rattler import PackageRecord, Version

_MATCHED_NAMES = 2048  # how many names' rattler records are kept at a time


class Pool:
    """Records by number: those of one name follow each other, the best first.

    "Best" is rattler's order: fewer tracked features, then the higher version, build number and time stamp.
    Records whose version cannot be read are left out, and are among the `problems`.

    Parameters
    ----------
    records
        The channels' records, without a ``.tar.bz2`` that has a ``.conda`` twin.
    virtual_packages
        The system's virtual packages, which are always installed.

    Attributes
    ----------
    records
        By number, which the other methods take and return.
    by_name
        The numbers of each name's records, the best first.
    problems
        What could not be read; specs are added when they are first matched.
    """

    def __init__(
        self, records: Iterable[Record], virtual_packages: Iterable[VirtualPackage | Record] = ()
    ) -> None:
        virtual = [item if isinstance(item, Record) else item.record for item in virtual_packages]
        self.problems: list[RecordProblem] = []
        self.records: Sequence[Record] = tuple(self._sorted([*records, *virtual]))
        self.by_name: dict[str, range] = {}
        start = 0
        for name, group in groupby(self.records, key=lambda record: record.name):
            end = start + sum(1 for _ in group)
            self.by_name[name] = range(start, end)
            start = end
        self._candidates: dict[str, tuple[int, ...]] = {}
        self._matchable: dict[str, list[PackageRecord]] = {}

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, number: int) -> Record:
        return self.records[number]

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.records)))

    @property
    def virtual(self) -> tuple[int, ...]:
        """The numbers of the virtual packages."""
        return tuple(
            number
            for name, numbers in self.by_name.items()
            if name.startswith("__")
            for number in numbers
            if self.records[number].is_virtual
        )

    def numbers_of(self, name: str) -> range:
        """Return the numbers of the records of a name, the best first."""
        return self.by_name.get(name, range(0))

    def candidates(self, spec: str) -> tuple[int, ...]:
        """Return the numbers of the records that ``spec`` matches, the best first.

        A spec that cannot be read matches none; `problem_of` says what is wrong with it.
        """
        known = self._candidates.get(spec)
        if known is None:
            known = self._candidates[spec] = tuple(self.matching(spec))
            if problem := self.problem_of(spec):
                self.problems.append(RecordProblem(where=repr(spec), message=problem))
        return known

    def matching(self, spec: str) -> list[int]:
        """Return what `candidates` returns, without caching it: for callers with very many specs."""
        read = read_spec(spec)
        matcher = read.matcher
        if matcher is None:
            return []
        numbers = self.numbers_of(read.name)
        return [
            number
            for number, record in zip(numbers, self._matchables(read.name), strict=True)
            if matcher.matches(record) and (not read.channel or read.channel == self.records[number].channel)
        ]

    def name_of(self, spec: str) -> str:
        """Return the name that ``spec`` is about; empty if it cannot be read."""
        return read_spec(spec).name

    def problem_of(self, spec: str) -> str:
        """Return why ``spec`` cannot be read; empty if it can."""
        return read_spec(spec).problem

    def _matchables(self, name: str) -> "list[PackageRecord]":
        records = self._matchable.get(name)
        if records is None:
            if len(self._matchable) >= _MATCHED_NAMES:
                self._matchable.clear()
            records = self._matchable[name] = self._matchable_of(name)
        return records

    def _matchable_of(self, name: str) -> "list[PackageRecord]":
        return [matchable(self.records[number]) for number in self.numbers_of(name)]

    def _sorted(self, records: list[Record]) -> list[Record]:
        """Return the records by name, the best first, without those that have no readable version."""
        readable: list[tuple[Record, Version]] = []
        for record in records:
            version = read_version(record.version)
            if version is None:
                message = f"{record.version!r} is not a version"
                self.problems.append(RecordProblem(where=record.file_name or record.stem, message=message))
            else:
                readable.append((record, version))
        # Sorting is stable: the last key first.
        readable.sort(key=lambda item: item[0].file_name, reverse=True)
        readable.sort(key=lambda item: (item[0].build_number, item[0].timestamp or 0), reverse=True)
        readable.sort(key=lambda item: item[1], reverse=True)
        readable.sort(key=lambda item: (item[0].name, len(item[0].track_features)))
        return [record for record, _ in readable]
