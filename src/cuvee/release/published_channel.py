"""The channel of a site, which grows with each release.

A file that was published never changes: who has it in a cache, or in a lock, has these bytes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cuvee.channel.current_index import current_records
from cuvee.channel.sharded_index import SHARDS, sharded_index
from cuvee.errors import BlockedError, IntegrityError
from cuvee.files import canonical_json, parse_json, sha256_bytes, sha256_file
from cuvee.release.record import Release
from cuvee.release.sums import read_sums
from cuvee.trust.publish_attestations import FIELD
from cuvee.trust.site_writer import changed_file

CHANNEL = "channel"
"""The channel's folder in a site."""

_FILE = re.compile(r"(channel|metapackages)/([a-z0-9-]+)/([^/]+)")
_ARCHIVE = re.compile(r"[^./\\][^/\\]*\.conda")
_SHA256 = re.compile("[0-9a-f]{64}")
_REPODATA, _CURRENT = "repodata.json", "current_repodata.json"
_LEVEL = 19
_Records = dict[str, Any]


@dataclass(slots=True)
class ChannelPlan:
    """What the channel is to have.

    Attributes
    ----------
    records
        By subdir and file.
    sources
        Where the archives are that the channel lacks, with their SHA-256, by path in the channel.
    kept
        How many archives of the releases it has already.
    """

    channel: Path
    records: dict[str, _Records]
    sources: dict[str, tuple[Path, str]] = field(default_factory=dict)
    kept: int = 0

    def add(self, archive: Path, record: Mapping[str, Any], *, release: str) -> None:
        """Add an archive of a release, which is in a folder with the name of its subdir."""
        subdir, sha256 = archive.parent.name, record["sha256"]
        known = self.records.setdefault(subdir, {})
        target = f"{subdir}/{archive.name}"
        before = known.get(archive.name, record)["sha256"]
        if before != sha256:
            raise BlockedError(
                f"{target} of {release} is not the one that is published: {sha256}, not {before}",
                hint="A published package never changes. Give the new one another build or version.",
            )
        kept = {key: value for key, value in known.get(archive.name, {}).items() if key == FIELD}
        known[archive.name] = {**record, **kept}
        if target in self.sources:
            return
        path = self.channel / target
        if path.is_file() and sha256_file(path) == sha256:
            self.kept += 1
        else:
            self.sources[target] = (archive, sha256)

    def indexes(self) -> dict[str, bytes]:
        """Return the files of the index, by path in the channel: those that name others come last."""
        found: dict[str, bytes] = {}
        for subdir in sorted({"noarch", *self.records}):
            found |= index_files(subdir, self.records.get(subdir, {}))
        return dict(sorted(found.items(), key=lambda item: (SHARDS not in item[0].split("/"), item[0])))


def published_records(
    channel: Path, read: Callable[[Path], bytes | None] = Path.read_bytes
) -> dict[str, _Records]:
    """Return the records of a channel by subdir; none if there is no channel yet.

    Parameters
    ----------
    read
        Returns an index; `None` if it does not count, since it is not signed.
    """
    found = {}
    for path in sorted(channel.glob(f"*/{_REPODATA}")):
        data = read(path)
        if data is not None:
            found[path.parent.name] = _records(data, path, "Restore it, or publish to an empty folder.")
    return found


def _records(data: bytes, path: Path, hint: str) -> _Records:
    try:
        records = parse_json(data)["packages.conda"]
        is_ours = all(
            _ARCHIVE.fullmatch(name) and _SHA256.fullmatch(item["sha256"]) for name, item in records.items()
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        is_ours = False
    if not is_ours:
        raise IntegrityError(f"{path} is not an index that cuvee writes", hint=hint)
    return dict(records)


def add_release(plan: ChannelPlan, release: Release) -> tuple[str, ...]:
    """Add what a release has to a plan; return its archives by path in the channel.

    Raises
    ------
    BlockedError
        If a package was published with other bytes.
    IntegrityError
        If an index of the release is not what was cut.
    """
    folder = release.folder
    indexes: dict[str, _Records] = {}
    for path, sha256 in read_sums(folder).items():
        match = _FILE.fullmatch(path)
        if match is not None and match[3] == _REPODATA:
            indexes[f"{match[1]}/{match[2]}"] = _records(
                _verified(folder / path, sha256), folder / path, "Cut the release again."
            )
    added = []
    for index, records in indexes.items():
        for name, record in records.items():
            plan.add(folder / index / name, record, release=release.name)
            added.append(f"{index.partition('/')[2]}/{name}")
    return tuple(added)


def _verified(path: Path, sha256: str) -> bytes:
    data = path.read_bytes() if path.is_file() else b""
    if sha256_bytes(data) != sha256:
        raise changed_file(path)
    return data


def index_files(subdir: str, records: _Records) -> dict[str, bytes]:
    """Return the index of a subdir: as JSON, compressed, by shards, and of what is current."""
    import zstandard

    def repodata(found: _Records) -> bytes:
        return canonical_json(
            {"info": {"subdir": subdir}, "packages": {}, "packages.conda": found, "repodata_version": 1}
        )

    def compress(data: bytes) -> bytes:
        return zstandard.ZstdCompressor(level=_LEVEL).compress(data)

    data, current = repodata(records), repodata(current_records(records))
    return {
        **{f"{subdir}/{path}": content for path, content in sharded_index(subdir, records, compress).items()},
        f"{subdir}/{_CURRENT}.zst": compress(current),
        f"{subdir}/{_CURRENT}": current,
        f"{subdir}/{_REPODATA}.zst": compress(data),
        f"{subdir}/{_REPODATA}": data,
    }
