"""Which wheels the packages of a release's own channel were made of, as their archives say.

The release folder keeps it by the hash of each archive, so that the next run opens only other ones. A damaged
file is made again: a wheel that it left out would not be compared with the index.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee import checked_cache
from cuvee.codec import DecodeError, decode, encode
from cuvee.errors import IntegrityError
from cuvee.files import parse_json
from cuvee.progress import SILENT, Reporter

if TYPE_CHECKING:
    from cuvee.channel.wheels.index_comparison import ImportedWheel
    from cuvee.conda.package_record import LockedPackage


@dataclass(frozen=True, slots=True, kw_only=True)
class _MadeOf:
    """A wheel, by its file name and hash; both are empty for a package that was made of none."""

    wheel: str
    sha256: str


@dataclass(slots=True)
class ImportedWheels:
    """The wheels of one release folder; ``kept`` is the file in which an earlier run has left them."""

    folder: Path
    kept: Path
    reporter: Reporter = SILENT
    _known: dict[str, _MadeOf] = field(default_factory=dict)
    _wheels: dict[str, ImportedWheel | None] = field(default_factory=dict)
    _is_new: bool = False

    def __post_init__(self) -> None:
        content = checked_cache.load(self.kept, self.reporter)
        try:
            self._known = decode(dict[str, _MadeOf], parse_json(bytes(content or b"")))
        except (DecodeError, ValueError):
            self._is_new = True

    def of(self, package: LockedPackage) -> ImportedWheel | None:
        """Return the wheel that a package was made of; `None` if of none.

        Raises
        ------
        IntegrityError
            If its archive must be opened, and cannot be read.
        """
        if package.sha256 not in self._wheels:
            self._wheels[package.sha256] = self._found(package)
        wheel = self._wheels[package.sha256]
        return replace(wheel, package=package) if wheel is not None else None

    def _found(self, package: LockedPackage) -> ImportedWheel | None:
        from cuvee.channel.wheels.index_comparison import ImportedWheel, imported_wheel
        from cuvee.channel.wheels.wheel_archive import WheelName

        made_of = self._known.get(package.sha256)
        if made_of is not None and not made_of.wheel:
            return None
        if made_of is not None:
            with suppress(IntegrityError):
                name = WheelName.parse(made_of.wheel)
                return ImportedWheel(package=package, name=name, sha256=made_of.sha256)
        wheel = imported_wheel(package, self.folder / package.url)
        self._is_new = True
        name_of, sha256 = ("", "") if wheel is None else (wheel.name.file_name, wheel.sha256)
        self._known[package.sha256] = _MadeOf(wheel=name_of, sha256=sha256)
        return wheel

    def save(self) -> None:
        """Leave what is known of the archives of this run for the next one."""
        if self._is_new:
            archives = {sha256: self._known[sha256] for sha256 in sorted(self._wheels)}
            checked_cache.save(self.kept, json.dumps(encode(archives)).encode())
