"""Reaching conda channels: names, URLs and folders, with the system's trust store."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.conda.event_loop import run
from cuvee.conda.repodata import parse_repodata
from cuvee.conda.url_secrets import without_secrets, without_secrets_in
from cuvee.errors import SourceUnreachableError

if TYPE_CHECKING:
    from rattler import Channel, Client, Gateway, RepoDataRecord

# A company that re-signs TLS has put its certificate authority into the system's trust store.
_SETTINGS = 'tls-root-certs = "system"'
_NAMED_PROBLEMS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Rattler's gateway for repodata and its client for archives, which handle proxies and credentials."""

    gateway: "Gateway"
    client: "Client"


def connect(cache: Path) -> Connection:
    """Return a connection that caches repodata below ``cache``; nothing is fetched yet."""
    from rattler import Client, Config, Gateway

    settings = Config.from_toml(_SETTINGS)
    client = Client.from_config(settings, max_retries=2)
    return Connection(
        gateway=Gateway.from_config(settings, cache_dir=cache / "repodata", client=client), client=client
    )


def rattler_channel(source: str) -> "Channel":
    """Return rattler's channel for a name (``conda-forge``), a URL or an absolute folder."""
    from rattler import Channel

    return Channel(Path(source).as_uri() if Path(source).is_absolute() else source)


async def query(
    sources: Sequence[str], platform: str, names: Iterable[str], connection: Connection
) -> "list[RepoDataRecord]":
    """Return rattler's records of ``names`` for a platform or as noarch, in the channels' order."""
    from rattler import MatchSpec, Subdir

    answer = await connection.gateway.query(
        [rattler_channel(source) for source in sources],
        [Subdir(platform), Subdir("noarch")],
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
    from rattler import Subdir

    subdirs = [Subdir(name) for name in (*platforms, "noarch")]
    found: set[str] = set()
    for source in sources:
        with channel_errors(source):
            names = run(connection.gateway.names([rattler_channel(source)], subdirs))
        found |= {name.normalized for name in names}
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
    except (GatewayError, FetchRepoDataError, IoError) as error:
        raise SourceUnreachableError(
            "\n".join((f"Cannot read {names}", _indented(error), *_problems_in(sources))),
            hint="Is its name right, and is it reachable from here? Nothing that was finished is lost.",
        ) from error
    except (InvalidChannelError, InvalidUrlError) as error:
        raise SourceUnreachableError(
            f"{names} is not a channel\n{_indented(error)}",
            hint="A channel is a name such as conda-forge, a URL, or a folder with <subdir>/repodata.json.",
        ) from error


def _problems_in(sources: Sequence[str]) -> list[str]:
    """Return the first records of local channels that cannot be read, since rattler does not name them."""
    found: list[str] = []
    for source in sources:
        for path in sorted(Path(source.removeprefix("file://")).glob("*/repodata.json")):
            with suppress(OSError):
                read = parse_repodata(path.read_bytes(), subdir=path.parent.name, where=path.name)
                found += (f"  {path.parent}/{problem}" for problem in read.problems)
    return found[:_NAMED_PROBLEMS]


def _indented(error: BaseException) -> str:
    return "\n".join(f"  {line}" for line in without_secrets_in(str(error)).splitlines())
