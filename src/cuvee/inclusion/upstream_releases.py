"""When a project has made its releases: by the records of channels, or by the Python index."""

import datetime as dt
from collections.abc import Iterable, Mapping

from cuvee.conda.package_record import Record
from cuvee.inclusion.model import UpstreamRelease, UpstreamReleases

_LAST_IN_SECONDS = 253_402_300_799
"""A larger timestamp is in milliseconds, as in conda: the last second of the year 9999."""


def of_records(records: Iterable[Record], source: str) -> UpstreamReleases:
    """Return the releases that a channel has, each with the time of its first build."""
    first: dict[str, dt.datetime | None] = {}
    for record in records:
        made = instant_of(record.timestamp)
        known = first.get(record.version)
        first[record.version] = made if known is None or (made is not None and made < known) else known
    return UpstreamReleases(source=source, releases=_sorted(first))


def of_index(files: Mapping[str, str | None], source: str) -> UpstreamReleases:
    """Return the releases that an index has, each with the time at which its first file was uploaded."""
    first: dict[str, dt.datetime | None] = {}
    for name, text in files.items():
        version = _version(name)
        if version is None:
            continue
        made = _instant(text)
        known = first.get(version)
        first[version] = made if known is None or (made is not None and made < known) else known
    return UpstreamReleases(source=source, releases=_sorted(first))


def instant_of(timestamp: int | None) -> dt.datetime | None:
    """Return the instant of a record's timestamp; `None` if it has none, or none that can be true."""
    if not timestamp or timestamp < 0:
        return None
    seconds = timestamp / 1000 if timestamp > _LAST_IN_SECONDS else timestamp
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _instant(text: str | None) -> dt.datetime | None:
    try:
        made = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return made if made.tzinfo is not None else made.replace(tzinfo=dt.UTC)


def _version(file_name: str) -> str | None:
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    try:
        if file_name.endswith(".whl"):
            return str(parse_wheel_filename(file_name)[1])
        return str(parse_sdist_filename(file_name)[1])
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def _sorted(first: Mapping[str, dt.datetime | None]) -> tuple[UpstreamRelease, ...]:
    """Return releases, the first published one first; those without a time come last."""
    unknown = dt.datetime.max.replace(tzinfo=dt.UTC)
    order = sorted(first.items(), key=lambda item: (item[1] or unknown, item[0]))
    return tuple(UpstreamRelease(version=version, published=made) for version, made in order)
