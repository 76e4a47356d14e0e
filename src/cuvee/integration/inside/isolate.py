"""Run a program without a network but with loopback, and end all of its children with it (Linux).

Usage: ``python isolate.py FLAGS PROGRAM ARGUMENT…`` where FLAGS is a comma-separated choice of ``net``
(a network namespace), ``pid`` (a process namespace, with its own ``/proc``) and ``user`` (a user namespace,
which lets an ordinary user have the other two). The exit code is the program's, or 128 + the signal that
ended it; 125 when a namespace is refused.

Jupyter kernels and dask talk through 127.0.0.1, so loopback is brought up. See
https://man7.org/linux/man-pages/man2/unshare.2.html and https://man7.org/linux/man-pages/man7/netdevice.7.html.
"""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
from pathlib import Path

REFUSED = 125
_FLAGS = {"net": 0x40000000, "pid": 0x20000000 | 0x00020000, "user": 0x10000000}  # pid: with its own mounts
_PR_SET_PDEATHSIG = 1
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_MS_PRIVATE_ALL = (1 << 18) | (1 << 14)


def main(argv: list[str]) -> int:
    flags, program = argv[0].split(","), argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    _die_with_parent(libc)
    try:
        _enter(libc, flags)
    except OSError as error:
        return _refused(error)
    if "pid" not in flags:
        return _spawn(program)
    first = os.fork()  # the first process of the new process namespace: when it ends, so do all others
    if first:
        return _wait_for(first)
    _die_with_parent(libc)
    try:
        _check(libc.mount(None, b"/", None, _MS_PRIVATE_ALL, None))
        _check(libc.mount(b"proc", b"/proc", b"proc", 0, None))
    except OSError as error:
        os._exit(_refused(error))
    os._exit(_spawn(program))


def _refused(error: OSError) -> int:
    sys.stderr.write(f"isolation refused: {error}\n")
    return REFUSED


def _enter(libc: ctypes.CDLL, flags: list[str]) -> None:
    uid, gid = os.getuid(), os.getgid()
    _check(libc.unshare(sum(_FLAGS[flag] for flag in flags)))
    if "user" in flags:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            Path("/proc/self", name).write_text(text, encoding="ascii")
    if "net" in flags:
        _loopback_up()


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def _spawn(program: list[str]) -> int:
    child = os.fork()
    if child == 0:
        try:
            os.execv(program[0], program)  # noqa: S606  no shell is intended
        except OSError as error:
            sys.stderr.write(f"{program[0]}: {error}\n")
            sys.stderr.flush()
            os._exit(127)
    return _wait_for(child)


def _wait_for(child: int) -> int:
    while True:
        pid, status = os.wait()  # orphans end here too
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _die_with_parent(libc: ctypes.CDLL) -> None:
    _check(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
