"""Reaching conda channels: names, URLs and folders, with the system's trust store."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

from cuvee.conda.url_secrets import clean_url, without_secrets, without_secrets_in
from cuvee.errors import SourceUnreachableError
from cuvee.progress import SILENT, Reporter

if TYPE_CHECKING:
    from rattler import Channel, Gateway, RepoDataRecord, SparseRepoData

    from cuvee.channel.file_transfer import FileTransfer

_NAMED_PROBLEMS = 5
_NOARCH = "noarch"
_T = TypeVar("_T")


class Once(Generic[_T]):
    """A value that is made when it is first asked for; thread-safe."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[_T] = []

    def __call__(self) -> _T:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Fetches repodata and archives; the gateway reads only repodata that is on this machine already.

    Attributes
    ----------
    gateways, transfers
        Make the gateway and the transfer when they are needed: importing them takes a tenth of a second each.
    cache
        Repodata of channels on other machines is kept in ``repodata/`` below it.
    """

    gateways: "Once[Gateway]"
    transfers: "Once[FileTransfer]"
    cache: Path
    reporter: Reporter
    _locks: dict[tuple[str, str], threading.Lock] = field(default_factory=dict)
    _fetched: dict[tuple[str, str], Once[Path | None]] = field(default_factory=dict)
    _read: "dict[tuple[str, str], SparseRepoData | None]" = field(default_factory=dict)

    @property
    def gateway(self) -> "Gateway":
        """Rattler's gateway."""
        return self.gateways()

    @property
    def transfer(self) -> "FileTransfer":
        """What fetches files."""
        return self.transfers()

    async def repodata(self, sources: Sequence[str], platform: str) -> list[Any]:
        """Return the repodata of a platform and noarch, in the channels' order; it is read once.

        The type is rattler's `SparseRepoData`, which its gateway takes, and its annotations do not name.

        Raises
        ------
        SourceUnreachableError
            If a channel cannot be read, or has no noarch, which every channel has.
        IntegrityError
            If its answer is too large or damaged, or leads out of HTTPS.
        """
        import asyncio

        return await asyncio.to_thread(self._all_of, tuple(sources), platform)

    def _all_of(self, sources: Sequence[str], platform: str) -> "list[SparseRepoData]":
        found: list[SparseRepoData] = []
        for source in sources:
            for subdir in (platform, _NOARCH):
                with self._locks.setdefault((source, subdir), threading.Lock()):
                    if (source, subdir) not in self._read:
                        self._read[source, subdir] = self._open(source, subdir)
                    part = self._read[source, subdir]
                if part is not None:
                    found.append(part)
                elif subdir == _NOARCH:
                    raise SourceUnreachableError(
                        f"Cannot read {without_secrets(source)}: it has no noarch/repodata.json",
                        hint="Is its name right? A channel without noarch packages has an empty one.",
                    )
        return found

    def _open(self, source: str, subdir: str) -> "SparseRepoData | None":
        from rattler import SparseRepoData

        path = self.repodata_file(source, subdir)
        if path is None:
            return None
        with channel_errors(source):
            return SparseRepoData(rattler_channel(source), subdir, path)

    def repodata_file(self, source: str, subdir: str) -> Path | None:
        """Return the ``repodata.json`` of a subdir; `None` if there is none.

        That of another machine is fetched if it has changed since the last run, and once in this one.
        """
        folder = Path(source)
        if not folder.is_absolute() or ".." in folder.parts:
            with channel_errors(source):
                url = str(rattler_channel(source).base_url).rstrip("/")
            if urlsplit(url).scheme != "file":
                fetch = Once(lambda: self._fetch_repodata(url, source, subdir))
                return self._fetched.setdefault((source, subdir), fetch)()
            from urllib.request import url2pathname

            folder = Path(url2pathname(urlsplit(url).path))
        path = folder / subdir / "repodata.json"
        return path if path.is_file() else None

    def _fetch_repodata(self, url: str, source: str, subdir: str) -> Path | None:
        from cuvee.channel.repodata_download import fetch_repodata

        with channel_errors(source):
            self.transfer.learn(url, source)
            return fetch_repodata(
                url, subdir, cache=self.cache, transfer=self.transfer, reporter=self.reporter
            )


def connect(cache: Path, reporter: Reporter = SILENT) -> Connection:
    """Return a connection that caches repodata below ``cache``; nothing is fetched yet."""
    return Connection(gateways=Once(_gateway), transfers=Once(_transfer), cache=cache, reporter=reporter)


def _gateway() -> "Gateway":
    from rattler import Gateway

    return Gateway()


def _transfer() -> "FileTransfer":
    from cuvee.channel.file_transfer import FileTransfer

    return FileTransfer()


def rattler_channel(source: str) -> "Channel":
    """Return rattler's channel for a name (``conda-forge``), a URL or an absolute folder.

    What the URL carries to authenticate does not become a part of the records.
    """
    from rattler import Channel

    return Channel(Path(source).as_uri() if Path(source).is_absolute() else clean_url(source))


async def query(
    sources: Sequence[str], platform: str, names: Iterable[str], connection: Connection
) -> "list[RepoDataRecord]":
    """Return rattler's records of ``names`` for a platform or as noarch, in the channels' order."""
    from rattler import MatchSpec, Subdir

    answer = await connection.gateway.query(
        await connection.repodata(sources, platform),
        [Subdir(platform), Subdir(_NOARCH)],
        [MatchSpec(name) for name in names],
        recursive=False,
    )
    return [record for records in answer for record in records]


def package_names(sources: Iterable[str], platforms: Sequence[str], connection: Connection) -> frozenset[str]:
    """Return the names of all packages that the channels have for ``platforms`` or as noarch.

    Raises
    ------
    SourceUnreachableError
        If a channel cannot be read.
    """
    from cuvee.conda.event_loop import run

    found: set[str] = set()
    for source in sources:
        for platform in platforms or (_NOARCH,):
            for part in run(connection.repodata([source], platform)):
                found.update(part.package_names())
    return frozenset(found)


@contextmanager
def channel_errors(*sources: str) -> Iterator[None]:
    """Turn rattler's errors about channels that it cannot read into one that names them."""
    from rattler.exceptions import (
        FetchRepoDataError,
        GatewayError,
        InvalidChannelError,
        InvalidUrlError,
        IoError,
    )

    names = ", ".join(map(without_secrets, sources))
    try:
        yield
    except (GatewayError, FetchRepoDataError, IoError, OSError) as error:
        raise SourceUnreachableError(
            "\n".join((f"Cannot read {names}", _indented(error), *_problems_in(sources))),
            hint="Is its name right, and is it reachable from here? Nothing that was finished is lost.",
        ) from error
    except (InvalidChannelError, InvalidUrlError) as error:
        raise SourceUnreachableError(
            f"{names} is not a channel\n{_indented(error)}",
            hint="A channel is a name such as conda-forge, a URL, or a folder with <subdir>/repodata.json.",
        ) from error
    except Exception as error:
        if type(error).__name__ != "RustPanic":
            raise
        raise SourceUnreachableError(
            f"Cannot read {names}: rattler has failed on its repodata, such as on its base_url",
            hint="Tell the channel's owner what rattler has printed above.",
        ) from error


def _problems_in(sources: Sequence[str]) -> list[str]:
    """Return the first records of local channels that cannot be read, since rattler does not name them."""
    from cuvee.conda.repodata import parse_repodata

    found: list[str] = []
    for source in sources:
        for path in sorted(Path(source.removeprefix("file://")).glob("*/repodata.json")):
            with suppress(OSError):
                read = parse_repodata(path.read_bytes(), subdir=path.parent.name, where=path.name)
                found += (f"  {path.parent}/{problem}" for problem in read.problems)
    return found[:_NAMED_PROBLEMS]


def _indented(error: BaseException) -> str:
    return "\n".join(f"  {line}" for line in without_secrets_in(str(error)).splitlines())
