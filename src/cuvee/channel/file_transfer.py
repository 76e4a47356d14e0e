"""Downloading files over HTTP, with limits of their size, of stalls and of attempts."""

import email.utils
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import AuthBase, HTTPBasicAuth

from cuvee.channel.credentials import Credential, Credentials
from cuvee.channel.https_session import ProtectedSession
from cuvee.conda.url_secrets import secret_in, without_secrets_in
from cuvee.errors import CuveeError, IntegrityError, SourceUnreachableError
from cuvee.progress import SILENT, Reporter

TRIES = 3
STALL = 60.0
"""Seconds in which a server must send something."""

_WINDOW = 60.0
_SLOWEST = 16 << 10  # bytes in each window: who sends one a minute would never end
_CONNECT = 20.0
_LONGEST_PAUSE = 60.0
_CHUNK = 1 << 18
_SERVER_ERROR = 500
_PARTIAL, _UNSATISFIABLE = 206, 416
_HINT = "Check the network and the proxy variables, then run the same command again: it continues."


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A file to download.

    Attributes
    ----------
    name
        What messages call it.
    most
        Bytes; more than that is an error, whoever ``limit`` says has stated them.
    headers
        More headers of the request.
    accepted
        Statuses without a file that the caller expects, such as 404.
    """

    url: str
    name: str
    most: int
    limit: str
    headers: Mapping[str, str] = field(default_factory=dict)
    accepted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server said of a file; its status is 200, or one that the caller accepts."""

    status: int
    headers: Mapping[str, str]
    url: str


class FileTransfer:
    """Downloads files; safe to use from several threads."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._credentials: Credentials | None = None
        self._full: dict[str, str] = {}
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._open: set[requests.Response] = set()
        self._stopped = threading.Event()

    def learn(self, clean: str, source: str) -> None:
        """Use what a channel's URL carries for all that is below its clean URL."""
        if secret_in(source):
            self._full[clean] = source.rstrip("/")

    @property
    def is_receiving(self) -> bool:
        """Whether the body of an answer is awaited in any thread."""
        return bool(self._open)

    def stop(self) -> None:
        """Make downloads in other threads end soon."""
        self._stopped.set()
        for response in tuple(self._open):
            with suppress(Exception):  # it may have ended by itself
                response.raw.shutdown()

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions:
            session.close()

    def fetch(
        self, wanted: WantedFile, target: Path, reporter: Reporter = SILENT, *, resume: bool = False
    ) -> Answer:
        """Download to ``target``, which is not complete until this returns.

        What a dropped connection left is continued, if the server can say that the file is still the same.

        Parameters
        ----------
        resume
            Go on with what ``target`` has. The URL never stands for other bytes, ``wanted.most`` is their
            exact number, and the caller verifies them.

        Raises
        ------
        SourceUnreachableError
            If `TRIES` attempts fail, or the server refuses.
        IntegrityError
            If the file is larger than expected, or a server redirects to an unprotected URL.
        """
        part = _Part(target, kept=resume)
        if part.size > wanted.most:
            part.size = 0
        if resume and part.size == wanted.most > 0:
            return Answer(status=200, headers={}, url=wanted.url)
        for left in reversed(range(TRIES)):
            try:
                return self._attempt(wanted, part)
            except (requests.RequestException, urllib3.exceptions.HTTPError, _StalledError) as error:
                if self._stopped.is_set():
                    raise CuveeError("Stopped") from error
                if not left or not _may_pass(error):
                    raise _unreachable(wanted, error) from error
                reporter.say(
                    f"{wanted.name}: {_place(wanted, error)} {_reason(error)}; "
                    f"attempt {TRIES - left + 1} of {TRIES}"
                )
                self._wait(_pause(error, TRIES - left))
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, wanted: WantedFile, part: "_Part") -> Answer:
        headers = {**wanted.headers, **part.restart}
        with self._get(wanted.url, headers) as response:
            answer = Answer(status=response.status_code, headers=response.headers, url=response.url)
            if answer.status in wanted.accepted:
                return answer
            if answer.status == _UNSATISFIABLE and part.size:
                part.size = 0
                raise requests.ConnectionError("it has less than was downloaded", response=None)
            response.raise_for_status()
            part.begin(response)
            with part.path.open("r+b" if part.size else "wb") as stream:
                stream.seek(part.size)
                stream.truncate()
                for chunk in _chunks(response):
                    if self._stopped.is_set():
                        raise CuveeError("Stopped")
                    part.size += len(chunk)
                    if part.size > wanted.most:
                        raise _too_large(wanted)
                    stream.write(chunk)
            return answer

    def _wait(self, seconds: float) -> None:
        self._stopped.wait(seconds)

    @contextmanager
    def _get(self, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        if self._credentials is None:
            self._credentials = Credentials(self._environment)
        for clean, full in self._full.items():
            if url.startswith(f"{clean}/"):
                url = full + url.removeprefix(clean)
        url, credential = self._credentials.used_by(url)
        response = self._session().get(
            url,
            headers=dict(headers),
            stream=True,
            timeout=(_CONNECT, STALL),
            auth=_authorize(credential),
        )
        with closing(response):
            self._open.add(response)
            try:
                yield response
            finally:
                self._open.discard(response)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = ProtectedSession()
            self._sessions.append(session)
        return session


class _Part:
    """What has come of a file so far, and the headers that ask for the rest of the same file."""

    def __init__(self, path: Path, *, kept: bool) -> None:
        self.path = path
        self.size = path.stat().st_size if kept and path.is_file() else 0
        self._kept = kept
        self._validator = ""

    @property
    def restart(self) -> dict[str, str]:
        """https://www.rfc-editor.org/rfc/rfc9110.html#name-if-range, which takes no weak validator."""
        if not self.size or not (self._validator or self._kept):
            return {}
        if self._kept:
            return {"Range": f"bytes={self.size}-"}
        return {"Range": f"bytes={self.size}-", "If-Range": self._validator}

    def begin(self, response: requests.Response) -> None:
        """Continue, or start again if the answer has the whole file."""
        continues = response.headers.get("Content-Range", "").startswith(f"bytes {self.size}-")
        if response.status_code == _PARTIAL and not continues:
            self.size = 0
            raise requests.ConnectionError("it sends another range than the one asked for", response=None)
        if response.status_code != _PARTIAL:
            self.size = 0
        tag = response.headers.get("ETag", "")
        self._validator = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


class _StalledError(Exception):
    """A server sends so little that the download would not end."""


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """Yield the body as it comes, undecoded: no content coding was asked for."""
    since, received = time.monotonic(), 0
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        yield chunk
        received += len(chunk)
        if time.monotonic() - since >= _WINDOW:
            if received < _SLOWEST:
                raise _StalledError
            since, received = time.monotonic(), 0


def _authorize(credential: Credential | None) -> AuthBase | None:
    if credential is None or credential.path_token:
        return None
    if credential.bearer:
        return _Bearer(credential.bearer)
    return HTTPBasicAuth(credential.user, credential.password)


class _Bearer(AuthBase):
    """Sends a token; requests removes the header if a redirect leads to another host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _may_pass(error: Exception) -> bool:
    """Whether trying again may help: not for a refusal, or for a URL that is none."""
    response = getattr(error, "response", None)
    if response is None:
        return not isinstance(error, ValueError | requests.TooManyRedirects)
    return response.status_code >= _SERVER_ERROR or response.status_code in {408, 429}


def _pause(error: Exception, attempt: int) -> float:
    """Return the seconds to wait: those that the server asks for, within limits.

    https://www.rfc-editor.org/rfc/rfc9110.html#name-retry-after
    """
    response = getattr(error, "response", None)
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    if asked.isascii() and asked.isdigit():
        seconds = float(asked[:9])
    else:
        with suppress(ValueError, TypeError):
            return _limited(email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
        seconds = float(1 << (attempt - 1))
    return _limited(seconds)


def _limited(seconds: float) -> float:
    return min(max(seconds, 0.0), _LONGEST_PAUSE)


def host_of(url: str) -> str:
    """Return the host of a URL, with its port, and without a user or a password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _place(wanted: WantedFile, error: Exception) -> str:
    """Return the host at fault: the one to which a redirect led, if it answered."""
    response = getattr(error, "response", None)
    return host_of(wanted.url if response is None else response.url)


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"answers {response.status_code}"
    if isinstance(error, _StalledError):
        return f"sends less than {_SLOWEST:,} bytes in {_WINDOW:.0f} s"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"sends nothing for {STALL:.0f} s"
    if isinstance(error, urllib3.exceptions.ProtocolError | requests.exceptions.ChunkedEncodingError):
        return "closes the connection before the end"
    why = error.args[0] if error.args else ""
    why = without_secrets_in(str(getattr(why, "reason", "")))
    return f"cannot be reached ({type(error).__name__}{': ' if why else ''}{why})"


def _unreachable(wanted: WantedFile, error: Exception) -> SourceUnreachableError:
    response = getattr(error, "response", None)
    hint = _HINT
    if response is not None and response.status_code in {401, 403}:
        hint = "It asks for a user and a password: put them into ~/.netrc, or see `RATTLER_AUTH_FILE`."
    return SourceUnreachableError(
        f"{wanted.name} could not be downloaded: {_place(wanted, error)} {_reason(error)}",
        hint=hint,
    )


def _too_large(wanted: WantedFile) -> IntegrityError:
    return IntegrityError(
        f"{wanted.name} from {host_of(wanted.url)} has more than {wanted.most:,} bytes, {wanted.limit}; "
        "nothing of it was used",
        hint="The file was changed in transit or at its source. Find out which before you continue.",
    )
