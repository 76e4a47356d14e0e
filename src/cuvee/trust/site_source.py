"""Where a site is: a server, or a folder. Downloads go on where an earlier run has stopped."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient.fetcher import FetcherInterface

from cuvee.channel.file_transfer import FileTransfer, WantedFile
from cuvee.conda.url_secrets import clean_url, without_secrets
from cuvee.errors import IntegrityError, UsageError
from cuvee.files import sha256_bytes
from cuvee.progress import SILENT, Reporter

_ABSENT = frozenset({403, 404})
_CHUNK = 1 << 18


@dataclass(kw_only=True)
class SiteSource(FetcherInterface):
    """Reads files of a site; a server's are downloaded into ``parts`` before.

    Attributes
    ----------
    most
        Bytes that the file may have that was asked for last.
    asked
        The path of the file that was asked for last.
    """

    base: str
    transfer: FileTransfer
    parts: Path
    reporter: Reporter = SILENT
    most: int = 0
    used: set[Path] = field(default_factory=set)
    asked: str = ""

    @property
    def shown(self) -> str:
        """The site, without what its URL carries to authenticate."""
        return without_secrets(self.base) if "://" in self.base else self.base

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """Yield the contents of a file, which has no more bytes than the client allows."""
        self.most = max_length
        with super().download_file(url, max_length) as stream:
            yield stream

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.asked = url
        if "://" not in self.base:
            return self._local(Path(self.base) / url, url)
        return self._remote(f"{clean_url(self.base).rstrip('/')}/{quote(url)}", url)

    def _local(self, path: Path, name: str) -> Iterator[bytes]:
        root = Path(self.base).resolve()
        if not path.is_file():
            raise DownloadHTTPError(f"{name}: it does not exist", 404)
        if not path.resolve().is_relative_to(root):
            raise IntegrityError(
                f"{path} is a link that leads out of the site", hint="Nothing of it was used."
            )
        return _chunks(path)

    def _remote(self, url: str, name: str) -> Iterator[bytes]:
        # A name with a hash or a version in it never stands for other bytes: what has come is continued.
        is_target = name.startswith("targets/")
        part = self.parts / sha256_bytes(url.encode())
        part.parent.mkdir(parents=True, exist_ok=True)
        if is_target:
            self.used.add(part)
        wanted = WantedFile(url=url, name=name, most=self.most, limit="as it was signed", accepted=_ABSENT)
        answer = self.transfer.fetch(wanted, part, self.reporter, resume=is_target)
        if answer.status in _ABSENT:
            raise DownloadHTTPError(f"{name}: status {answer.status}", answer.status)
        if is_target:
            return _chunks(part)
        data = part.read_bytes()
        part.unlink()
        return iter([data])

    def forget(self) -> None:
        """Remove what has been downloaded, once it was used or has turned out wrong."""
        for part in self.used:
            part.unlink(missing_ok=True)
        self.used.clear()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def site_source(site: str, parts: Path, reporter: Reporter = SILENT) -> SiteSource:
    """Return the source for a URL or a folder.

    Raises
    ------
    UsageError
        If it is neither.
    """
    transfer = FileTransfer()
    scheme = urlsplit(site).scheme if "://" in site else ""
    if scheme in {"http", "https"}:
        base = site.rstrip("/")
        transfer.learn(clean_url(base), base)
    elif scheme or not Path(site).is_dir():
        raise UsageError(
            f"{without_secrets(site)} is neither a folder nor a URL that begins with https:// or http://",
            hint="Name the site's URL, or the folder of its mirror.",
        )
    else:
        base = site
    return SiteSource(base=base, transfer=transfer, parts=parts, reporter=reporter)
