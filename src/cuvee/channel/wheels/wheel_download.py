"""Downloading wheels into the cache: by hash, atomically, several at a time."""

import contextlib
import itertools
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import requests

from cuvee.channel.https_session import ProtectedSession
from cuvee.channel.wheels.model import PinnedWheel
from cuvee.channel.wheels.wheel_archive import WheelName
from cuvee.errors import CuveeError, IntegrityError, SourceUnreachableError
from cuvee.files import replacing, sha256_file, write_bytes

TRIES = 3
_TIMEOUT = (20.0, 60.0)  # seconds: to connect, and between two bytes
_CHUNK = 1 << 18
_METADATA_CHUNKS = 64  # 16 MB: long descriptions are part of it
_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL")
_SERVER_ERROR = 500


class WheelDownloader:
    """Downloads wheels as ``<cache>/<sha256>/<file name>``; safe to use from several threads.

    Index URLs in ``environment`` may have a user name and password, which are used for the files too.
    """

    def __init__(self, cache: Path, environment: Mapping[str, str] = os.environ) -> None:
        self._cache = cache
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._stopped = threading.Event()
        self._credentials = _credentials(environment)

    def stop(self) -> None:
        """Make downloads in other threads end soon, without files in the cache."""
        self._stopped.set()

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions:
            session.close()

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
        with contextlib.suppress(OSError, requests.RequestException):
            if urlsplit(wheel.url).scheme == "file":
                write_bytes(target, _metadata_of(_path_of(wheel)).read_bytes())
                return
            parts = urlsplit(wheel.url)
            url = parts._replace(path=f"{parts.path}.metadata", fragment="").geturl()
            with self._get(url) as response:
                response.raise_for_status()
                data = b"".join(itertools.islice(response.iter_content(_CHUNK), _METADATA_CHUNKS))
            write_bytes(target, data)

    def _get(self, url: str) -> requests.Response:
        auth = self._credentials.get(urlsplit(url).netloc.rpartition("@")[2])
        return self._session().get(url, stream=True, timeout=_TIMEOUT, auth=auth)

    def _download(self, wheel: PinnedWheel, beside: Path) -> None:
        for left in reversed(range(TRIES)):
            try:
                self._download_once(wheel, beside)
            except requests.RequestException as error:
                if self._stopped.is_set() or not left or not _may_pass(error):
                    raise _unreachable(wheel, error) from error
                self._stopped.wait(1 << (TRIES - 1 - left))
            else:
                return

    def _download_once(self, wheel: PinnedWheel, beside: Path) -> None:
        with self._get(wheel.url) as response, beside.open("wb") as stream:
            response.raise_for_status()
            received = 0
            for chunk in response.iter_content(_CHUNK):
                received += len(chunk)
                if wheel.size is not None and received > wheel.size:
                    break  # the check of its size reports it
                if self._stopped.is_set():
                    raise CuveeError("Stopped")
                stream.write(chunk)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = ProtectedSession()
            self._sessions.append(session)
        return session


def _credentials(environment: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    found = {}
    for variable in _INDEX_VARIABLES:
        for url in environment.get(variable, "").split():
            parts = urlsplit(url.partition("=")[2] if "=" in url.partition("://")[0] else url)
            if parts.username is not None:
                host = parts.netloc.rpartition("@")[2]
                found[host] = (unquote(parts.username), unquote(parts.password or ""))
    return found


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
    host = urlsplit(wheel.url).netloc.rpartition("@")[2] or "the local index"
    raise IntegrityError(
        f"{wheel.file_name} from {host} {how}; nothing was imported",
        hint="The file was changed in transit or at its source. Find out which before you continue.",
    )


def _may_pass(error: Exception) -> bool:
    """Whether trying again may help: not for a refusal."""
    response = getattr(error, "response", None)
    return response is None or response.status_code >= _SERVER_ERROR or response.status_code in {408, 429}


def _unreachable(wheel: PinnedWheel, error: Exception) -> SourceUnreachableError:
    host = urlsplit(wheel.url).netloc.rpartition("@")[2]
    response = getattr(error, "response", None)
    why = f"it answers {response.status_code}" if response is not None else type(error).__name__
    with contextlib.suppress(AttributeError, IndexError):
        why = f"{why}: {error.args[0].reason}" if response is None else why
    return SourceUnreachableError(
        f"{wheel.file_name} could not be downloaded from {host} ({why})",
        hint="Check the network and the proxy variables, then run the same command again: it continues.",
    )


def cached_wheels(cache: Path) -> frozenset[str]:
    """Return the names of the projects that the cache holds a wheel of."""
    files = (file.name for folder in cache.glob("*") for file in folder.glob("*.whl"))
    return frozenset(WheelName.parse(name).name for name in files)
