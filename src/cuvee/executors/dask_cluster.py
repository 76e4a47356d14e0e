"""A Dask cluster: the connection to its scheduler, its workers, and sending files to them.

Dask sends pickles in both directions: whoever is in a cluster can run programs as everybody else in it.
"""

import os
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from cuvee.errors import SourceUnreachableError, ToolMissingError
from cuvee.executors import worker_side
from cuvee.executors.shared_files import SharedFile

CONNECT_SECONDS = 20.0
"""Seconds to wait for a scheduler."""

_GONE = "the worker is gone"
_TLS_HINT = (
    "Dask's own settings say whether TLS is used, and with which certificates: `distributed.comm.tls`, "
    "https://docs.dask.org/en/stable/how-to/deploy-dask/tls.html"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A worker of a cluster.

    ``resources`` are what it declares, each with a quantity: those that are named as platforms say what it
    runs. ``threads`` is how many tasks it runs at once.
    """

    address: str
    name: str
    threads: int
    resources: Mapping[str, float] = field(hash=False)

    def slots(self, platform: str) -> int:
        """Return how many units of a platform it runs at once; any platform is the empty text."""
        return min(self.threads, int(self.resources.get(platform, 0))) if platform else self.threads


class DaskCluster:
    """A connection to the scheduler at ``HOST:PORT``.

    Raises
    ------
    ToolMissingError
        If `distributed` is not installed.
    SourceUnreachableError
        If no scheduler answers.
    """

    def __init__(self, address: str, *, seconds: float | None = None) -> None:
        client_class, url = _distributed(address)
        self.address = address
        try:
            with warnings.catch_warnings():
                # Of other versions of Python and Dask, which cuvee's own check of each worker covers.
                warnings.filterwarnings("ignore", module="distributed")
                self.client: Any = client_class(
                    url, timeout=seconds or CONNECT_SECONDS, set_as_default=False, name="cuvee"
                )
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SourceUnreachableError(
                f"No scheduler of Dask answers at {url}: {reason}",
                hint=f"Is `dask scheduler` running there? {_TLS_HINT}",
            ) from error
        self.stopping = threading.Event()
        """Once it is set, all executors on the cluster end their work."""
        self._sending: dict[tuple[str, str], threading.Lock] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __str__(self) -> str:
        return f"dask://{self.address}"

    def close(self) -> None:
        """End the connection; the scheduler forgets the work of this process."""
        with suppress(Exception):
            self.client.close(timeout=5)

    @property
    def is_connected(self) -> bool:
        """Whether the scheduler is there."""
        return str(self.client.status) == "running"

    def members(self) -> tuple[Member, ...]:
        """Return the workers that the scheduler knows now, by name.

        Raises
        ------
        OSError
            If the scheduler does not answer.
        """
        # `Client.scheduler_info` returns what was stored last; Dask stores it also without workers.
        identity = self.client.sync(self.client.scheduler.identity, n_workers=-1)
        members = (
            Member(
                address=str(address),
                name=str(item.get("name") or address),
                threads=int(item.get("nthreads") or 1),
                resources={str(key): float(value) for key, value in (item.get("resources") or {}).items()},
            )
            for address, item in identity["workers"].items()
        )
        return tuple(sorted(members, key=lambda member: (member.name, member.address)))

    def of_platform(self, platform: str) -> tuple[Member, ...]:
        """Return the workers that declare a platform; all of them for the empty text."""
        return tuple(member for member in self.members() if member.slots(platform))

    def seen(self) -> str:
        """Return which workers there are, and what they declare, for a message."""
        members = self.members()
        if not members:
            return "it has no workers"
        counts: dict[str, int] = {}
        for member in members:
            for resource in member.resources or ("nothing",):
                counts[resource] = counts.get(resource, 0) + 1
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))
        return f"its {len(members)} workers declare {listed}"

    def ask(self, members: Iterable[Member], function: Callable[..., Any], *args: Any) -> dict[Member, Any]:
        """Run a function on workers now, even on busy ones; return what each answers, or its exception."""
        by_address = {member.address: member for member in members}
        if not by_address:
            return {}
        answers = self.client.run(function, *args, workers=list(by_address), on_error="return")
        return {by_address[address]: answer for address, answer in answers.items() if address in by_address}

    def stranger(self, member: Member) -> str:
        """Return why a worker cannot work for this process; the empty text if it can."""
        answer = self.ask([member], worker_side.identity).get(member)
        version, code, _ = worker_side.identity()
        if not isinstance(answer, tuple):
            lost = "no answer" if answer is None else f"{type(answer).__name__}: {answer}"
            return f"it has no cuvee that answers ({lost})"
        if answer[:2] != (version, code):
            what = f"cuvee {answer[0]}" if answer[0] != version else f"another cuvee {version}, by its code"
            return f"it has {what}; it needs the same as here, cuvee {version}"
        return ""

    def platform_of(self, member: Member) -> str:
        """Return the platform of a worker, as code that runs there finds it."""
        answer = self.ask([member], worker_side.identity).get(member)
        return str(answer[2]) if isinstance(answer, tuple) else ""

    def send(self, member: Member, files: Sequence[SharedFile]) -> str:
        """Send files to a worker which it does not have yet; return why that failed, or the empty text."""
        for file in files:
            with self._sending.setdefault((member.address, file.sha256), threading.Lock()):
                if self.ask([member], worker_side.has_file, file.sha256).get(member) is True:
                    continue
                if problem := self._send(member, file):
                    return f"{Path(file.path).name} was not received: {problem}"
        return ""

    def _send(self, member: Member, file: SharedFile) -> str:
        token = os.urandom(8).hex()
        offset = 0
        with Path(file.path).open("rb") as stream:
            while data := stream.read(worker_side.CHUNK):
                answer = self.ask([member], worker_side.receive, token, offset, data).get(
                    member, "it is gone"
                )
                if answer is not None:
                    return str(answer)
                offset += len(data)
        found = self.ask([member], worker_side.received, token, file.sha256).get(member, _GONE)
        return "" if found == file.sha256 else f"its SHA-256 is {found}, not {file.sha256}"


def _distributed(address: str) -> tuple[Any, str]:
    """Return Dask's class of clients, and the scheduler's URL: with TLS where Dask's settings say so."""
    try:
        import dask

        # Else it writes to stderr whatever happens to its connections.
        with dask.config.set({"logging.distributed": "critical", "logging.tornado": "critical"}):
            from distributed import Client
    except ImportError as error:
        raise ToolMissingError(
            "distributed is not installed, which dask:// needs",
            hint="Install it beside cuvee: pip install 'cuvee[dask]'",
        ) from error
    setting = dask.config.get
    secure = (
        setting("distributed.comm.require-encryption", default=None)
        or setting("distributed.comm.tls.client.cert", default=None)
        or setting("distributed.comm.default-scheme", default="tcp") == "tls"
    )
    return Client, f"{'tls' if secure else 'tcp'}://{address}"
