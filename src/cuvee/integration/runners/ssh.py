"""Running a release on a machine that OpenSSH's client reaches."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cuvee.errors import ToolMissingError, UsageError
from cuvee.integration.runners.far_machine import look_at
from cuvee.integration.runners.far_runner import FarRunner
from cuvee.integration.runners.far_scripts import CHANNEL
from cuvee.integration.runners.far_work import Reach

SCHEME = "ssh://"
_LONGEST_SOCKET = 80
"""Characters of a socket's path: ssh adds some of its own, and systems allow about 100."""

_OPTIONS = {
    "BatchMode": "yes",  # never asks
    "ConnectTimeout": "20",
    "ServerAliveInterval": "15",
    "ServerAliveCountMax": "4",
    "RemoteCommand": "none",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SshAddress:
    """``ssh://[USER@]HOST[:PORT]``; what is left out is as the user's configuration of ssh has it."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return "".join(
            (SCHEME, f"{self.user}@" if self.user else "", host, f":{self.port}" if self.port else "")
        )

    @classmethod
    def parse(cls, text: str) -> "SshAddress":
        """Return the address that a text is.

        Raises
        ------
        UsageError
            If it is none, or has more than an address.
        """
        hint = "It is ssh://[USER@]HOST[:PORT], where HOST may be a name of your ~/.ssh/config."
        try:
            parts = urlsplit(text)
            host, user, port = parts.hostname, parts.username, parts.port
        except ValueError as error:
            raise UsageError(f"{text!r} is not an address of a machine: {error}", hint=hint) from error
        if parts.password is not None:
            raise UsageError("A password in the address of a machine is not used", hint=f"Use a key. {hint}")
        if host is None or parts.scheme != "ssh" or parts.path.strip("/") or parts.query or parts.fragment:
            raise UsageError(f"{text!r} is not an address of a machine", hint=hint)
        if ":" not in host:  # as typed: names in a configuration of ssh may have capitals
            host = parts.netloc.rpartition("@")[2].partition(":")[0]
        user = unquote(user) if user else None
        for name in filter(None, (host, user)):
            if name.startswith("-") or not name.isprintable() or any(sign.isspace() for sign in name):
                raise UsageError(
                    f"{text!r} is not an address of a machine: {name!r} is not a name", hint=hint
                )
        return cls(host=host, user=user, port=port)


class SshRunner(FarRunner):
    """Runs the release on a machine that is reached by ssh.

    Parameters
    ----------
    address
        Where it is; keys, known hosts and all else are as the user's configuration of ssh says.

    Raises
    ------
    ToolMissingError
        If there is no ssh.
    SourceUnreachableError
        If the machine does not answer.
    UsageError
        If it has no POSIX shell.
    """

    def __init__(self, address: SshAddress) -> None:
        program = shutil.which("ssh")
        if program is None:
            raise ToolMissingError(
                "ssh is not installed", hint="Install OpenSSH's client (Debian package openssh-client)."
            )
        self._program, self._address = program, address
        hint = f"`ssh -o BatchMode=yes {_for_people(address)} true` must work without a question."
        machine = look_at((*self._argv({}), CHANNEL), str(address), hint=hint)
        label = re.sub(r"[^a-z0-9.]+", "-", address.host.lower()).strip("-")
        super().__init__(name=f"ssh-{label or 'machine'}", title=str(address), machine=machine)

    def reach(self, control: Path) -> Reach:
        """Return how to reach the machine: through one connection that all share, if there is room for it."""
        socket = str(control / "s")
        alone = (*self._argv({}), CHANNEL)
        if len(socket.encode()) > _LONGEST_SOCKET:
            return Reach(connect=alone, connect_again=alone)
        shared = {
            "ControlMaster": "auto",
            "ControlPersist": "60",
            "ControlPath": f'"{socket.replace("%", "%%")}"',
        }
        close = self._argv({"ControlPath": shared["ControlPath"]}, "-O", "exit")
        return Reach(connect=(*self._argv(shared), CHANNEL), connect_again=alone, close=(close,))

    def _argv(self, options: Mapping[str, str], *more: str) -> tuple[str, ...]:
        settings = {"ControlMaster": "no", "ControlPath": "none", **_OPTIONS, **options}
        port = ("-p", str(self._address.port)) if self._address.port else ()
        user = ("-l", self._address.user) if self._address.user else ()
        pairs = (f"{name}={value}" for name, value in settings.items())
        words = (word for pair in pairs for word in ("-o", pair))
        return (self._program, "-T", "-x", *words, *port, *user, *more, "--", self._address.host)


def _for_people(address: SshAddress) -> str:
    port = f"-p {address.port} " if address.port else ""
    return f"{port}{address.user}@{address.host}" if address.user else f"{port}{address.host}"
