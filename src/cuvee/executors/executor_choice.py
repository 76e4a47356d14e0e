"""Which executor a command was asked for: ``threads``, ``processes``, or ``dask://HOST:PORT``."""

import enum
import re
from dataclasses import dataclass

from cuvee.errors import UsageError

_DASK = "dask://"
# A name, an IPv4 address, or an IPv6 address in brackets, and a port.
_ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})", re.ASCII)
_HIGHEST_PORT = 65535


class ExecutorKind(enum.Enum):
    """Where the units of a command run."""

    THREADS = "threads"
    PROCESSES = "processes"
    DASK = "dask"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorChoice:
    """An executor; ``address`` is that of a scheduler of Dask, ``HOST:PORT``."""

    kind: ExecutorKind = ExecutorKind.THREADS
    address: str = ""

    def __str__(self) -> str:
        return f"{_DASK}{self.address}" if self.kind is ExecutorKind.DASK else self.kind.value

    @property
    def is_remote(self) -> bool:
        """Whether work may run on other machines."""
        return self.kind is ExecutorKind.DASK

    @classmethod
    def parse(cls, text: str) -> "ExecutorChoice":
        """Return the executor that a text names.

        Raises
        ------
        UsageError
            If it names none.
        """
        if text in {ExecutorKind.THREADS.value, ExecutorKind.PROCESSES.value}:
            return cls(kind=ExecutorKind(text))
        if not text.startswith(_DASK):
            raise UsageError(
                f"There is no executor {text!r}", hint="There are threads, processes and dask://HOST:PORT."
            )
        address = text.removeprefix(_DASK).removesuffix("/")
        found = _ADDRESS.fullmatch(address)
        if found is None or not 0 < int(found[1]) <= _HIGHEST_PORT:
            raise UsageError(
                f"{text!r} is not the address of a scheduler of Dask",
                hint="It is dask://HOST:PORT, such as dask://127.0.0.1:8786.",
            )
        return cls(kind=ExecutorKind.DASK, address=address)
