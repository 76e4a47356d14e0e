"""A machine that is reached by ssh: a real sshd on loopback, with folders of its own, for one user."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

from needed_programs import HANGING, need, needed

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
Banner {folder}/banner
SetEnv TMPDIR="{temp}" HOME="{home}"
ForceCommand {shell} -c "$SSH_ORIGINAL_COMMAND"
LogLevel ERROR
"""
_CLIENT = """
Host *
  HostName 127.0.0.1
  IdentityFile "{folder}/key"
  IdentitiesOnly yes
  UserKnownHostsFile "{folder}/known_hosts"
  GlobalKnownHostsFile none
"""


class SshServer:
    """A running sshd. ``temp`` is the machine's folder for temporary files, ``home`` the user's home there.

    A folder ``bin`` has a program ``ssh`` that uses the keys and known hosts of the server: the user's own
    configuration is not read.
    """

    def __init__(self, folder: Path, *, shell: str = "/bin/sh", temp: Path | None = None) -> None:
        need("sshd", "ssh", "ssh-keygen")
        self._folder = folder
        self.temp, self.home, self.bin = temp or folder / "far tmp é", folder / "far home", folder / "bin"
        for path in (self.temp, self.home, self.bin):
            path.mkdir(parents=True, exist_ok=True)
        for name in ("host_key", "key"):
            keygen = [needed("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(keygen, check=True, timeout=HANGING)
        (folder / "authorized_keys").write_bytes((folder / "key.pub").read_bytes())
        (folder / "banner").write_text("Only for those who may!\n")
        (folder / "client").write_text(_CLIENT.format(folder=folder))
        (self.bin / "ssh").write_text(f'#!/bin/sh\nexec {needed("ssh")} -F "{folder}/client" "$@"\n')
        (self.bin / "ssh").chmod(0o755)
        self._shell = shell
        self.start()

    def start(self) -> None:
        """Start it, again if it was stopped: then on another port."""
        self.port, self._server = self._started()
        key = (self._folder / "host_key.pub").read_text().split()[:2]
        (self._folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {' '.join(key)}\n")

    def _started(self) -> "tuple[int, subprocess.Popen[bytes]]":
        """Start it on a port that is free; another process may take that first."""
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # in which root's drops its rights
        while True:
            with socket.socket() as listener:
                listener.bind(("127.0.0.1", 0))
                port = listener.getsockname()[1]
            config = self._folder / "server"
            text = _CONFIG.format(
                port=port, folder=self._folder, temp=self.temp, home=self.home, shell=self._shell
            )
            config.write_text(text)
            argv = [needed("sshd"), "-D", "-E", str(self._folder / "log"), "-f", str(config)]
            server = subprocess.Popen(argv, start_new_session=True)
            while server.poll() is None:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    return port, server
                threading.Event().wait(0.01)
            said = (self._folder / "log").read_text()
            assert "in use" in said, said

    @property
    def address(self) -> str:
        return f"ssh://machine-of-test:{self.port}"

    @property
    def left(self) -> list[str]:
        """What runs have left in the folder for temporary files."""
        return sorted(path.name for path in self.temp.iterdir())

    def connections(self) -> list[int]:
        """Return the processes that serve a connection each."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text("latin-1").rpartition(")")[2].split()
                if int(fields[1]) == self._server.pid:
                    found.append(int(path.parent.name))
        return found

    def cut(self) -> int:
        """End all connections; return how many there were."""
        found = self.connections()
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(found)

    def stop(self) -> None:
        self.cut()
        self._server.kill()
        self._server.wait()
