"""Running a linux-aarch64 release on another processor, with qemu-user: real programs, slowly.

Its programs start through a binfmt_misc table of their own, so that the host stays unchanged. The C library
comes from the distribution's own arm64 packages: a release brings none.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cuvee import platforms, process
from cuvee.errors import CuveeError
from cuvee.files import fingerprint, replacing_folder, write_text
from cuvee.integration.model import SMOKE, PlannedSuite, SuiteKind
from cuvee.integration.runners.isolation import files_note, limits_note, network_isolation, network_note
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Sandbox
from cuvee.process import Completed, Request

_EMULATE = Path(__file__).parents[1] / "inside" / "emulate.py"
_PROGRAMS = ("qemu-aarch64-static", "qemu-aarch64")
# How an ELF file begins: 64 bit, little endian, and at the end the machine 183, which is AArch64.
# https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_ELF = "7f454c460201010000000000000000000200b700"
_LIBRARIES = ("libc6", "libstdc++6", "libgcc-s1")
_QUICK = frozenset({SuiteKind.COMMAND, SuiteKind.LIFECYCLE, SuiteKind.PACKAGED})
"""Suites whose tests mostly start a program and end: what computes for minutes would take hours."""

_LOADER = "lib/ld-linux-aarch64.so.1"
_CROSS = Path("/usr/aarch64-linux-gnu")
_TROUBLE = re.compile(
    r"qemu(?:-aarch64(?:-static)?)?: ((?:[Uu]nsupported|[Uu]nhandled|Could not|.*Assertion).*)"
)
_GLIBC = re.compile(r"stable release version (\d+\.\d+)")
_UNAME = '#!/bin/sh\nif [ "$*" = -m ]; then echo aarch64; else exec /usr/bin/uname "$@"; fi\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """What emulates an ARM machine: the emulator, its libraries, and a `uname` that says so."""

    qemu: str
    root: Path
    commands: Path


class QemuRunner(NativeRunner):
    """Runs ``linux-aarch64`` with qemu-user on another Linux, without a network."""

    name = "qemu"

    def __init__(self, cache: Path) -> None:
        self._folder = cache / "qemu-aarch64"
        self._found: _Machine | None = None

    def refusal(self, platform: str) -> str | None:
        """Return why it cannot run ``platform`` here; empty for platforms that it never runs."""
        host = platforms.host()
        if platform != "linux-aarch64" or sys.platform != "linux" or (host and host.name == platform):
            return ""
        qemu = next(filter(None, map(shutil.which, _PROGRAMS)), None)
        if qemu is None:
            return "qemu-aarch64-static is not installed (Debian package qemu-user-static)"
        refused = _refused(qemu)
        if refused:
            return f"this kernel gives ordinary programs no binfmt_misc table of their own ({refused})"
        try:
            self._found = _Machine(qemu=qemu, root=self._root(), commands=self._commands())
        except CuveeError as error:
            return f"there is no C library for ARM64: {error.message.splitlines()[0]}"
        return None

    def suite_refusal(self, suite: PlannedSuite) -> str | None:
        """Return why it does not run a suite: those that compute would take hours."""
        if suite.name == SMOKE or suite.kind in _QUICK:
            return None
        return f"QEMU takes hours for suites of the kind {suite.kind.value}; they need a real ARM64"

    def limitation(self, completed: Completed) -> str | None:
        """Return what QEMU reports that it cannot do."""
        found = _TROUBLE.search(completed.stderr)
        return f"QEMU: {found[1].strip()}" if found else None

    def keeps_files_away(self) -> bool:
        """Deny it: only the network is isolated."""
        return False

    def environment(self) -> Mapping[str, str]:
        """Return the version of QEMU: what fails may be its fault."""
        machine = self._machine()
        version = process.run(Request(argv=(machine.qemu, "--version"), timeout=60)).stdout.partition("\n")[0]
        return {
            "qemu": version,
            "network": network_note(),
            "files": files_note(None),
            "limits": limits_note(None),
        }

    def emulation(self) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """Return what to prefix a command with so that it can start ARM programs, and variables for it."""
        machine = self._machine()
        return _emulated(machine.qemu), {"QEMU_LD_PREFIX": str(machine.root)}

    def _request(self, sandbox: Sandbox, argv: tuple[str, ...], cwd: Path, timeout: float) -> Request:
        machine = self._machine()
        environment = {
            "PATH": f"{machine.commands}:{sandbox.prefix / 'bin'}:/usr/bin:/bin",
            **sandbox.environment,
            "QEMU_LD_PREFIX": str(machine.root),
            "CONDA_OVERRIDE_GLIBC": _glibc(machine.root),
        }
        inside = (*network_isolation(sandbox), *_emulated(machine.qemu), *argv)
        return Request(argv=inside, cwd=cwd, environment=environment, timeout=timeout)

    def _machine(self) -> _Machine:
        if self._found is None:
            raise RuntimeError("`refusal` must be called first")
        return self._found

    def _root(self) -> Path:
        """Return a folder with the C library: that of QEMU_LD_PREFIX, the system's own, or apt's."""
        named = os.environ.get("QEMU_LD_PREFIX")
        for root in (Path(named) if named else _CROSS, _CROSS):
            if (root / _LOADER).exists():
                return root
        from cuvee.channel.interpreter.apt import Apt

        target = self._folder / f"root-{fingerprint([_LIBRARIES, Apt.host_sources()])[:16]}"
        if not (target / _LOADER).exists():
            with replacing_folder(target) as folder:
                _unpack(folder)
        return target

    def _commands(self) -> Path:
        folder = self._folder / "bin"
        write_text(folder / "uname", _UNAME)
        (folder / "uname").chmod(0o755)
        return folder


def _unpack(folder: Path) -> None:
    from cuvee.channel.interpreter.apt import Apt

    apt = Apt("arm64", folder / "apt")
    apt.update()
    for download in apt.download(_LIBRARIES):
        argv = ("dpkg-deb", "--extract", str(download.path), str(folder))
        done = process.run(Request(argv=argv, timeout=300))
        if not done.ok:
            raise CuveeError(f"{download.path.name} cannot be unpacked: {done.stderr.strip()}")
    shutil.rmtree(folder / "apt")


def _emulated(qemu: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(_EMULATE), _ELF, qemu)


@cache
def _refused(qemu: str) -> str:
    """Return why this host refuses what `emulate` does, by trying; empty when it does not."""
    argv = (*_emulated(qemu), sys.executable, "-I", "-S", "-c", "")
    done = process.run(Request(argv=argv, environment={}, timeout=60))
    return "" if done.ok else done.stderr.strip().rpartition("\n")[2] or "no reason is given"


@cache
def _glibc(root: Path) -> str:
    """Read the version from the C library's own text."""
    for library in sorted(root.rglob("libc.so.6")):
        found = _GLIBC.search(library.read_bytes().decode("latin-1"))
        if found is not None:
            return found[1]
    return ""
