"""Downloading one pinned file from the Python index that pip or uv is configured for.

pip and uv would build the metadata of a source archive, which runs code in it. So the file is looked up in
the pages of the index (PEP 503, 691 and 700), and accepted only if its hash is the pinned one:
https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import replacing, sha256_file
from cuvee.process import Request, run

if TYPE_CHECKING:
    import requests

_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.2"
_SETTINGS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
_INDEX_NAME = re.compile(r"^[\w.-]+=(?=\w+:)")  # uv allows a name before the URL of an index: name=url
_TIMEOUT = (20, 120)
_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedFile:
    """A file of a project on the index. ``size`` in bytes; ``sha256`` in hex."""

    project: str
    name: str
    sha256: str
    size: int


def fetch(file: PinnedFile, folder: Path) -> Path:
    """Return the path of the file in ``folder``, downloaded if it does not exist yet.

    Raises
    ------
    SourceUnreachableError
        If the index cannot be reached or does not have it.
    IntegrityError
        If its hash differs.
    """
    target = folder / file.name
    if target.is_file() and sha256_file(target) == file.sha256:
        return target
    index = index_url(os.environ)
    with _session() as session:
        url = _find(session, index, file)
        with replacing(target) as beside:
            _download(session, url, file, beside)
    return target


def index_url(environment: Mapping[str, str]) -> str:
    """Return the URL of the simple index that uv or pip would use by default.

    Raises
    ------
    SourceUnreachableError
        If none is configured and pip, which has the public one, is not installed.
    """
    for name in _SETTINGS:
        if environment.get(name):
            return _INDEX_NAME.sub("", environment[name].split()[0])
    configured = run(
        Request(argv=(sys.executable, "-m", "pip", "config", "get", "global.index-url"), timeout=60)
    )
    if configured.ok and configured.stdout.strip():
        return configured.stdout.strip()
    try:
        from pip._internal.models.index import PyPI
    except ImportError:
        raise SourceUnreachableError(
            "No Python index is configured", hint="Set PIP_INDEX_URL to the index to use, or install pip."
        ) from None
    return str(PyPI.simple_url)


def _session() -> "requests.Session":
    from cuvee.channel.https_session import ProtectedSession

    return ProtectedSession()


def _find(session: "requests.Session", index: str, file: PinnedFile) -> str:
    page = f"{index.rstrip('/')}/{file.project}/"
    with _reaching(page):
        response = session.get(page, headers={"Accept": _ACCEPT}, timeout=_TIMEOUT)
        response.raise_for_status()
        if "json" in response.headers.get("Content-Type", ""):
            links = json_links(response.json(), response.url)
        else:
            links = links_of(response.text, response.url)
    if file.name not in links:
        raise SourceUnreachableError(
            f"{_shown(page)} does not list {file.name}",
            hint="A company's mirror may leave out old files; set PIP_INDEX_URL to an index that has it.",
        )
    return links[file.name]


def json_links(page: Any, base: str) -> dict[str, str]:
    """Return the absolute URLs of the files on a JSON page of an index, by file name.

    Raises
    ------
    ValueError
        If the page is not valid.
    """
    try:
        return {str(item["filename"]): urljoin(base, item["url"]) for item in page["files"]}
    except (KeyError, TypeError) as error:
        raise ValueError("no list of files") from error


def links_of(page: str, base: str) -> dict[str, str]:
    """Return the absolute URLs of the links on an HTML page of an index, by file name."""
    urls: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            urls.extend(
                urljoin(base, value) for name, value in attrs if tag == "a" and name == "href" and value
            )

    Links().feed(page)
    return {unquote(urlsplit(url).path.rpartition("/")[2]): url for url in urls}


def _download(session: "requests.Session", url: str, file: PinnedFile, target: Path) -> None:
    digest, size = hashlib.sha256(), 0
    with _reaching(url), target.open("wb") as stream:
        response = session.get(url, stream=True, timeout=_TIMEOUT)
        response.raise_for_status()
        for chunk in response.iter_content(_CHUNK):
            size += len(chunk)
            if size > file.size:
                break
            digest.update(chunk)
            stream.write(chunk)
    if size != file.size or digest.hexdigest() != file.sha256:
        raise IntegrityError(
            f"{file.name} from {_shown(url)} is not the expected file: "
            f"its SHA-256 is {digest.hexdigest()}, {file.sha256} was expected",
            hint="It was not used. Check whether the index or a proxy changes files.",
        )


@contextmanager
def _reaching(url: str) -> Iterator[None]:
    """Turn errors of the connection to an index, or of its pages, into an error that names the source."""
    import requests

    try:
        yield
    except (requests.RequestException, ValueError) as error:
        response = getattr(error, "response", None)
        reason = f"HTTP {response.status_code}" if response is not None else type(error).__name__
        raise SourceUnreachableError(
            f"Cannot read {_shown(url)}: {reason}",
            hint="Check the network and the proxy settings, and run the same command again.",
        ) from error


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
