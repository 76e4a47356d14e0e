"""The repodata of a channel's subdir, fetched into the cache if it has changed.

rattler's gateway would follow redirects out of HTTPS, and read answers of any size into memory. It is given
the files that come from here: https://github.com/conda/ceps/blob/main/cep-0036.md
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import zstandard

from cuvee.channel.file_transfer import FileTransfer, WantedFile, host_of
from cuvee.conda.url_secrets import without_secrets
from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import fingerprint, parse_json, replacing, sha256_file, storage_errors, write_json
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder

MOST_COMPRESSED = 256 << 20
MOST_REPODATA = 1 << 30
"""Bytes; the largest subdir of conda-forge has a third of that."""

_CHUNK = 1 << 20
_PACKED = 4 << 10
_HINT = "Tell the channel's owner; nothing of it was used."
_FORMATS = ("repodata.json.zst", "repodata.json")
_OK, _NOT_MODIFIED = 200, 304
_MISSING = frozenset({404, 410})
_NOT_SHOWN = _MISSING | {403}  # S3's answer for a missing file where listing is not allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """From which file of the channel the one in the cache was made; empty without one."""

    format: str = ""
    tag: str = ""
    changed: str = ""
    sha256: str = ""

    @property
    def conditions(self) -> dict[str, str]:
        """https://www.rfc-editor.org/rfc/rfc9110.html#name-conditional-requests"""
        pairs = (("If-None-Match", self.tag), ("If-Modified-Since", self.changed))
        return {name: value for name, value in pairs if value}


def fetch_repodata(
    url: str, subdir: str, *, cache: Path, transfer: FileTransfer, reporter: Reporter
) -> Path | None:
    """Return the ``repodata.json`` of a subdir; `None` if the channel at ``url`` has none.

    Raises
    ------
    SourceUnreachableError
        If the channel cannot be reached, or the file is damaged.
    IntegrityError
        If it is too large, or a redirect leads out of HTTPS.
    """
    folder = cache / "repodata" / fingerprint(url)[:32] / subdir
    path = folder / "repodata.json"
    state = _read_state(folder / "state.json", path, reporter)
    task = f"Fetching {without_secrets(url)}/{subdir}"
    reporter.start(task)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with temporary_folder("incoming", within=folder) as scratch:
        for name in sorted(_FORMATS, key=lambda name: (name != state.format, _FORMATS.index(name))):
            received = Path(scratch, name)
            wanted = _wanted(url, subdir, name, state.conditions if name == state.format else {})
            answer = transfer.fetch(wanted, received, reporter)
            if answer.status == _NOT_MODIFIED:
                reporter.finish(task, note="unchanged")
                return path
            if answer.status != _OK:
                continue
            coding = "zstd" if name.endswith(".zst") else answer.headers.get("Content-Encoding", "")
            with replacing(path) as ready:
                _unpack(received, coding.strip().lower(), ready, wanted)
            _write_state(folder / "state.json", path, name, answer.headers)
            reporter.finish(task, note=f"{path.stat().st_size / 1e6:,.1f} MB")
            return path
    reporter.finish(task, note="there is none")
    return None


def _wanted(url: str, subdir: str, name: str, conditions: Mapping[str, str]) -> WantedFile:
    compressed = name.endswith(".zst")
    return WantedFile(
        url=f"{url}/{subdir}/{name}",
        name=f"{subdir}/{name}",
        most=MOST_COMPRESSED if compressed else MOST_REPODATA,
        limit="the most that is read of a channel",
        headers=conditions,
        accepted=(_NOT_SHOWN if compressed else _MISSING) | ({_NOT_MODIFIED} if conditions else set()),
    )


def _unpack(received: Path, coding: str, ready: Path, wanted: WantedFile) -> None:
    """Write what was received without its coding, up to a limit."""
    if coding in {"", "identity"}:
        received.replace(ready)
        return
    unpacked = _gzip if coding == "gzip" else _zstd  # no other coding is read by either
    try:
        with received.open("rb") as packed, ready.open("wb") as out:
            for data in unpacked(packed):
                out.write(data)
                if out.tell() > MOST_REPODATA:
                    raise IntegrityError(
                        f"{wanted.name} from {host_of(wanted.url)} has more than {MOST_REPODATA:,} bytes "
                        "when it is unpacked",
                        hint=_HINT,
                    )
    except (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise SourceUnreachableError(
            f"Cannot read {without_secrets(wanted.url)}, which cannot be unpacked: {error}", hint=_HINT
        ) from error


def _gzip(packed: IO[bytes]) -> Iterator[bytes]:
    source = gzip.GzipFile(fileobj=packed)
    while data := source.read(_CHUNK):
        yield data


def _zstd(packed: IO[bytes]) -> Iterator[bytes]:
    """Yield little at a time: a few bytes can stand for the 128 KiB of a block."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    data = packed.read(_PACKED)
    while data:
        yield frame.decompress(data)
        data = frame.unused_data or packed.read(_PACKED)
        if frame.eof and data:
            frame = zstandard.ZstdDecompressor().decompressobj()
    if not frame.eof:
        raise zstandard.ZstdError("it is cut short")


def _read_state(state: Path, path: Path, reporter: Reporter) -> _State:
    """Return the state of the file in the cache, if that is still what was fetched."""
    try:
        values = parse_json(state.read_bytes())
        found = _State(**{key: str(values[key]) for key in ("format", "tag", "changed", "sha256")})
        if sha256_file(path) == found.sha256:
            return found
    except FileNotFoundError:
        return _State()
    except (OSError, ValueError, KeyError, TypeError):
        pass
    reporter.say(f"{path} was changed after it was fetched, and is fetched again")
    return _State()


def _write_state(state: Path, path: Path, name: str, headers: Mapping[str, str]) -> None:
    tag, changed = headers.get("ETag", ""), headers.get("Last-Modified", "")
    write_json(state, {"format": name, "tag": tag, "changed": changed, "sha256": sha256_file(path)})
