"""Run a program in a namespace in which programs of another processor start through an emulator (Linux).

Usage: ``python emulate.py MAGIC EMULATOR PROGRAM ARGUMENT…`` where MAGIC is, in hex, how an ELF file of that
processor begins: its first 20 bytes, of which those that `_MASK` leaves out are ignored.

The kernel starts such programs through ``binfmt_misc``. Since Linux 6.7 a user namespace has a table of its
own, so that nothing of the host changes and no root is needed. The exit code is 125 when that is refused. See
https://docs.kernel.org/admin-guide/binfmt-misc.html.
"""

import ctypes
import os
import sys
from pathlib import Path

REFUSED = 125
_NEW_USER, _NEW_MOUNTS = 0x10000000, 0x00020000
_TABLE = Path("/proc/sys/fs/binfmt_misc")
_MASK = "ffffffffffffff00fffffffffffffffffeffffff"


def main(argv: list[str]) -> int:
    magic, emulator, program = argv[0], argv[1], argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    try:
        # The table belongs to the namespace's root; a second namespace gives the user's own number back.
        _enter(libc, _NEW_USER | _NEW_MOUNTS, f"0 {uid} 1", f"0 {gid} 1")
        _check(libc.mount(b"binfmt_misc", bytes(_TABLE), b"binfmt_misc", 0, None))
        (_TABLE / "register").write_bytes(_rule(magic, emulator))
        _enter(libc, _NEW_USER, f"{uid} 0 1", f"{gid} 0 1")
    except OSError as error:
        sys.stderr.write(f"emulation refused: {error}\n")
        return REFUSED
    try:
        os.execv(program[0], program)  # noqa: S606  no shell is intended
    except OSError as error:
        sys.stderr.write(f"{program[0]}: {error}\n")
        return 127


def _enter(libc: ctypes.CDLL, flags: int, users: str, groups: str) -> None:
    _check(libc.unshare(flags))
    for name, text in (("setgroups", "deny"), ("uid_map", users), ("gid_map", groups)):
        Path("/proc/self", name).write_text(text, encoding="ascii")


def _rule(magic: str, emulator: str) -> bytes:
    """Return the line of the table; F opens the emulator now, so that later paths do not matter."""
    first, mask = (
        "".join(f"\\x{text[at : at + 2]}" for at in range(0, len(text), 2)) for text in (magic, _MASK)
    )
    return f":cuvee:M::{first}:{mask}:{emulator}:F".encode()


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
