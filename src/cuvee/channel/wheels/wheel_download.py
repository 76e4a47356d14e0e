"""Downloading wheels into the cache: by hash, atomically, several at a time."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cuvee.channel.file_transfer import FileTransfer, WantedFile, host_of
from cuvee.channel.wheels.model import PinnedWheel
from cuvee.channel.wheels.wheel_archive import WheelName
from cuvee.errors import CuveeError, IntegrityError, SourceUnreachableError
from cuvee.files import replacing, sha256_file, write_bytes
from cuvee.progress import SILENT, Reporter

MOST_WHEEL = 16 << 30
"""Bytes of a wheel whose size the index does not state."""

_MOST_METADATA = 16 << 20  # long descriptions are part of it


class WheelDownloader:
    """Downloads wheels as ``<cache>/<sha256>/<file name>``; safe to use from several threads.

    Index URLs in ``environment`` may have a user name and password, which are used for the files too.
    """

    def __init__(
        self, cache: Path, environment: Mapping[str, str] = os.environ, reporter: Reporter = SILENT
    ) -> None:
        self._cache = cache
        self._reporter = reporter
        self._transfer = FileTransfer(environment)
        self.stop = self._transfer.stop
        self.close = self._transfer.close

    def fetch(self, wheel: PinnedWheel) -> tuple[Path, bool]:
        """Return the path of a verified wheel, and whether it was downloaded now.

        Raises
        ------
        IntegrityError
            If the file has another hash or size, or a server redirects from https to http.
        SourceUnreachableError
            If three attempts to download it fail.
        """
        kept = self._cache / wheel.sha256 / wheel.file_name
        if kept.is_file():
            if sha256_file(kept) == wheel.sha256:
                return kept, False
            kept.unlink()  # the cache is damaged; only the hash of the index counts
        with replacing(kept) as beside:
            if urlsplit(wheel.url).scheme == "file":
                _copy(wheel, beside)
            else:
                self._download(wheel, beside)
            _check(wheel, beside)
        self._fetch_metadata(wheel, _metadata_of(kept))
        return kept, True

    def stated_metadata(self, wheel: PinnedWheel) -> Path | None:
        """Return the metadata that the index stated when the wheel was downloaded; `None` without any."""
        path = _metadata_of(self._cache / wheel.sha256 / wheel.file_name)
        return path if path.is_file() else None

    def _fetch_metadata(self, wheel: PinnedWheel, target: Path) -> None:
        """Keep the metadata that the index states for a wheel; few private ones do.

        It is beside the wheel: https://packaging.python.org/en/latest/specifications/simple-repository-api/
        """
        target.unlink(missing_ok=True)
        with suppress(OSError, CuveeError):
            parts = urlsplit(wheel.url)
            if parts.scheme == "file":
                write_bytes(target, _metadata_of(_path_of(wheel)).read_bytes())
                return
            wanted = WantedFile(
                url=parts._replace(path=f"{parts.path}.metadata", fragment="").geturl(),
                name=target.name,
                most=_MOST_METADATA,
                limit="the most that metadata may have",
            )
            with replacing(target) as beside:
                self._transfer.fetch(wanted, beside)

    def _download(self, wheel: PinnedWheel, beside: Path) -> None:
        stated = wheel.size is not None
        wanted = WantedFile(
            url=wheel.url,
            name=wheel.file_name,
            most=wheel.size if wheel.size is not None else MOST_WHEEL,
            limit="the size that the index states" if stated else "the most that a wheel may have",
        )
        self._transfer.fetch(wanted, beside, self._reporter)


def _copy(wheel: PinnedWheel, beside: Path) -> None:
    source = _path_of(wheel)
    try:
        stream = source.open("rb")
    except OSError as error:
        raise SourceUnreachableError(
            f"{wheel.file_name}: {source} cannot be read: {error.strerror}"
        ) from error
    with stream, beside.open("wb") as out:
        shutil.copyfileobj(stream, out)


def _path_of(wheel: PinnedWheel) -> Path:
    return Path(url2pathname(urlsplit(wheel.url).path))


def _metadata_of(wheel: Path) -> Path:
    return wheel.with_name(f"{wheel.name}.metadata")


def _check(wheel: PinnedWheel, path: Path) -> None:
    if wheel.size is not None and path.stat().st_size != wheel.size:
        how = f"does not have the {wheel.size:,} bytes that the index states"
    elif (sha256 := sha256_file(path)) != wheel.sha256:
        how = f"has the SHA-256 {sha256}, and the index states {wheel.sha256}"
    else:
        return
    host = host_of(wheel.url) or "the local index"
    raise IntegrityError(
        f"{wheel.file_name} from {host} {how}; nothing was imported",
        hint="The file was changed in transit or at its source. Find out which before you continue.",
    )


def cached_wheels(cache: Path) -> frozenset[str]:
    """Return the names of the projects that the cache holds a wheel of."""
    files = (file.name for folder in cache.glob("*") for file in folder.glob("*.whl"))
    return frozenset(WheelName.parse(name).name for name in files)
