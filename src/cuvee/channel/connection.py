"""Reaching conda channels: names, URLs and folders, with the system's trust store."""

from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from cuvee.channel.repodata_problems import repodata_problems
from cuvee.conda.event_loop import run
from cuvee.errors import SourceUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rattler import Channel, Client, Gateway

# A company that re-signs TLS has put its authority into the system's store.
_SETTINGS = 'tls-root-certs = "system"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Rattler's gateway for repodata and its client for archives: proxies and credentials are theirs."""

    gateway: "Gateway"
    client: "Client"


def connect(cache: Path) -> Connection:
    """Open the way to channels; repodata is cached below ``cache``."""
    from rattler import Client, Config, Gateway

    settings = Config.from_toml(_SETTINGS)
    client = Client.from_config(settings, max_retries=2)
    return Connection(
        gateway=Gateway.from_config(settings, cache_dir=cache / "repodata", client=client), client=client
    )


def channel(source: str) -> "Channel":
    """Give rattler's channel for a name (``conda-forge``), a URL or an absolute folder."""
    from rattler import Channel

    return Channel(Path(source).as_uri() if Path(source).is_absolute() else source)


def package_names(sources: Iterable[str], platforms: Sequence[str], connection: Connection) -> frozenset[str]:
    """Give the names of all packages that the channels carry for ``platforms`` or as noarch.

    Raises
    ------
    SourceUnreachableError
        If a channel can not be read.
    """
    from rattler import Subdir

    found: set[str] = set()
    for source in sources:
        with reaching(source):
            names = run(
                connection.gateway.names([channel(source)], [Subdir(name) for name in (*platforms, "noarch")])
            )
        found |= {name.normalized for name in names}
    return frozenset(found)


@contextmanager
def reaching(what: str) -> "Iterator[None]":
    """Turn what rattler says of a source that it can not read into an error that names the source."""
    from rattler.exceptions import (
        FetchRepoDataError,
        GatewayError,
        InvalidChannelError,
        InvalidUrlError,
        IoError,
    )

    try:
        yield
    except (GatewayError, FetchRepoDataError, IoError) as error:
        raise SourceUnreachableError(
            "\n".join((f"Can not read {without_secrets(what)}", _indented(error), *_broken_in(what))),
            hint="Is its name right, and is it reachable from here? Nothing that was finished is lost.",
        ) from error
    except (InvalidChannelError, InvalidUrlError) as error:
        raise SourceUnreachableError(
            f"{without_secrets(what)} is not a channel\n{_indented(error)}",
            hint="A channel is a name such as conda-forge, a URL, or a folder with <subdir>/repodata.json.",
        ) from error


def without_secrets(url: str) -> str:
    """Mask the user, password or token in a URL."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        parts = parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2])
    segments = parts.path.split("/")
    if "t" in segments[:-1]:
        segments[segments.index("t") + 1] = "***"
    return urlunsplit(parts._replace(path="/".join(segments)))


def _broken_in(what: str) -> list[str]:
    """Name the records of local channels that can not be read; what rattler says does not."""
    folders = [Path(source.removeprefix("file://")) for source in what.split(", ")]
    return [
        f"  {folder}/{line}" for folder in folders if folder.is_dir() for line in repodata_problems(folder)
    ]


def _indented(error: BaseException) -> str:
    return "\n".join(f"  {line}" for line in without_secrets_in(str(error)).splitlines())


def without_secrets_in(text: str) -> str:
    """Mask the secrets of each URL in a text."""
    return " ".join(without_secrets(word) if "://" in word else word for word in text.split(" "))
