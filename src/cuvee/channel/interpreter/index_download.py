"""Downloading one pinned file from the Python index that pip or uv is configured for.

pip and uv would build the metadata of a source archive, which runs code in it. So the file is looked up in
the pages of the index (PEP 503, 691 and 700), and accepted only if its hash is the pinned one:
https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from cuvee.conda.url_secrets import without_secrets
from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import parse_json, replacing, sha256_file
from cuvee.process import Request, run
from cuvee.progress import SILENT, Reporter
from cuvee.temporary_folders import temporary_folder

if TYPE_CHECKING:
    from cuvee.channel.file_transfer import FileTransfer

_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.2"
_SETTINGS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
_INDEX_NAME = re.compile(r"^[\w.-]+=(?=\w+:)")  # uv allows a name before the URL of an index: name=url
_MOST_PAGE = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedFile:
    """A file of a project on the index. ``size`` in bytes; ``sha256`` in hex."""

    project: str
    name: str
    sha256: str
    size: int


def fetch(file: PinnedFile, folder: Path, reporter: Reporter = SILENT) -> Path:
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
    from cuvee.channel.file_transfer import FileTransfer

    transfer = FileTransfer()
    try:
        url = _find(transfer, index_url(os.environ), file.project, file.name, reporter)
        with replacing(target) as beside:
            _download(transfer, url, file, beside, reporter)
    finally:
        transfer.close()
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
        Request(argv=(sys.executable, "-P", "-m", "pip", "config", "get", "global.index-url"), timeout=60)
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


def index_file_url(
    transfer: "FileTransfer", environment: Mapping[str, str], *, project: str, name: str, reporter: Reporter
) -> str:
    """Return the URL of a project's file on the index that pip or uv would use by default.

    Raises
    ------
    SourceUnreachableError
        If the index cannot be reached or does not have it.
    """
    return _find(transfer, index_url(environment), project, name, reporter)


def _find(transfer: "FileTransfer", index: str, project: str, name: str, reporter: Reporter) -> str:
    page = f"{index.rstrip('/')}/{project}/"
    data, answered, is_json = _page(transfer, page, reporter)
    try:
        if is_json:
            links = json_links(parse_json(data), answered)
        else:
            links = links_of(data.decode("utf-8", errors="replace"), answered)
    except ValueError as error:
        raise SourceUnreachableError(
            f"Cannot read {without_secrets(page)}: it is not a page of an index ({error})",
            hint="Check the URL of the index, the network and the proxy settings.",
        ) from error
    if name not in links:
        raise SourceUnreachableError(
            f"{without_secrets(page)} does not list {name}",
            hint="A company's mirror may leave out old files; set PIP_INDEX_URL to an index that has it.",
        )
    return links[name]


def _page(transfer: "FileTransfer", page: str, reporter: Reporter) -> tuple[bytes, str, bool]:
    """Return a page of an index, its URL after redirections, and whether it is JSON."""
    from cuvee.channel.file_transfer import WantedFile

    wanted = WantedFile(
        url=page,
        name=without_secrets(page),
        most=_MOST_PAGE,
        limit="the most that a page of an index may have",
        headers={"Accept": _ACCEPT},
    )
    with temporary_folder("index") as folder:
        received = Path(folder, "page")
        answer = transfer.fetch(wanted, received, reporter)
        return received.read_bytes(), answer.url, "json" in answer.headers.get("Content-Type", "")


def upload_times(
    environment: Mapping[str, str], project: str, reporter: Reporter = SILENT
) -> Mapping[str, str | None]:
    """Return when each file of a project was uploaded, as the index that pip or uv would use states it.

    A file whose index states no time (PEP 700) has `None`.

    Raises
    ------
    SourceUnreachableError
        If the index cannot be reached, or does not have the project.
    """
    from cuvee.channel.file_transfer import FileTransfer

    transfer = FileTransfer()
    try:
        page = f"{index_url(environment).rstrip('/')}/{project}/"
        data, answered, is_json = _page(transfer, page, reporter)
    finally:
        transfer.close()
    try:
        if not is_json:
            return dict.fromkeys(links_of(data.decode("utf-8", errors="replace"), answered))
        return json_upload_times(parse_json(data))
    except ValueError as error:
        raise SourceUnreachableError(
            f"Cannot read {without_secrets(page)}: it is not a page of an index ({error})"
        ) from error


def json_upload_times(page: Any) -> dict[str, str | None]:
    """Return when each file on a JSON page of an index was uploaded, where it says so (PEP 700).

    Raises
    ------
    ValueError
        If the page is not valid.
    """
    try:
        found = {str(item["filename"]): item.get("upload-time") for item in page["files"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("no list of files") from error
    return {name: time if isinstance(time, str) else None for name, time in found.items()}


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


def _download(transfer: "FileTransfer", url: str, file: PinnedFile, target: Path, reporter: Reporter) -> None:
    from cuvee.channel.file_transfer import WantedFile

    wanted = WantedFile(url=url, name=file.name, most=file.size, limit="the size that is expected")
    transfer.fetch(wanted, target, reporter)
    sha256 = sha256_file(target)
    if sha256 != file.sha256:
        raise IntegrityError(
            f"{file.name} from {without_secrets(url)} is not the expected file: "
            f"its SHA-256 is {sha256}, {file.sha256} was expected",
            hint="It was not used. Check whether the index or a proxy changes files.",
        )
