"""Run a program without a network but with loopback, and end all of its children with it (Linux).

Usage: ``python isolate.py FLAGS FILES LIMITS PROGRAM ARGUMENT…`` where FLAGS is a comma-separated choice of
``net`` (a network namespace), ``pid`` (a process namespace, with its own ``/proc``), ``files`` (with ``pid``:
its own view of the files) and ``user`` (a user namespace, which lets an ordinary user have the others). The
exit code is the program's, or 128 + the signal that ended it; 125 when a namespace is refused.

FILES is JSON: ``{"writable": […], "readonly": […], "hidden": […], "root": … or null}``, absolute paths. With
``files``, all is read-only except the folders ``writable`` and those for temporary files; within these,
``readonly`` are not writable, and nothing of ``hidden`` can be seen. The program cannot undo that: root loses
what it takes. With ``root``, a folder with another Linux system, the program sees that one's files, and the
host's below `HOST`.

LIMITS is JSON: ``{"memory": BYTES, "disk": BYTES, "folders": […], "processes": NUMBER}``; null sets none.
No file may become larger than ``disk``. With ``pid``, all processes are ended when there are too many, or
when together they have more memory, or more in files below ``folders``; the exit code is then 122, and the
last line of stderr says so.

Jupyter kernels and dask talk through 127.0.0.1, so loopback is brought up. See
https://man7.org/linux/man-pages/man2/unshare.2.html, https://man7.org/linux/man-pages/man7/netdevice.7.html
and https://man7.org/linux/man-pages/man2/mount_setattr.2.html.
"""

import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

REFUSED, LIMITED = 125, 122
_FLAGS = {
    "net": 0x40000000,
    "pid": 0x20000000 | 0x00020000,
    "user": 0x10000000,
    "files": 0,
}  # pid: with mounts
_PR_SET_PDEATHSIG = 1
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_MS_PRIVATE_ALL, _MS_BIND_ALL, _MS_BIND = (1 << 18) | (1 << 14), 0x1000 | 0x4000, 0x1000
_MS_LOCKED_UP = 1 | 2 | 4 | 8  # read-only, no set-uid, no devices, no programs
_MOUNT_SETATTR, _RECURSIVE, _HERE, _READ_ONLY = 442, 0x8000, -100, 1
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_POWERS = (2, 16, 17, 18, 19, 21, 27)
"""Capabilities that lead out: by handle, modules, raw devices, other roots, tracing, mounts, device nodes."""

HOST = "/.host"
"""Where a program that runs in another system finds the host's files."""

_LOOK_SECONDS, _FILES_SECONDS, _PAGE = 0.05, 0.25, os.sysconf("SC_PAGE_SIZE")
_TEMPORARY = ("/tmp", "/var/tmp", "/dev", "/proc")  # noqa: S108 - programs write there whatever TMPDIR says


def main(argv: list[str]) -> int:
    flags, program = [flag for flag in argv[0].split(",") if flag], argv[3:]
    files, limits = json.loads(argv[1]), json.loads(argv[2])
    libc = ctypes.CDLL(None, use_errno=True)
    _die_with_parent(libc)
    try:
        _enter(libc, flags)
    except OSError as error:
        return _refused(error)
    if "pid" not in flags:
        return _spawn(program, limits)
    first = os.fork()  # the first process of the new process namespace: when it ends, so do all others
    if first:
        return _wait_for(first)
    _die_with_parent(libc)
    try:
        _check(libc.mount(None, b"/", None, _MS_PRIVATE_ALL, None))
        _check(libc.mount(b"proc", b"/proc", b"proc", 0, None))
        if "files" in flags:
            here, other = os.getcwd(), files.pop("root", None)  # noqa: PTH109
            _own_view(libc, **files)
            if other:
                here = _other_root(libc, other, files["writable"][0]) + here
            os.chdir(here)  # into the mount that is there now
            _drop_powers(libc)
    except OSError as error:
        os._exit(_refused(error))
    os._exit(_spawn(program, limits, watched=True))


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


def _own_view(libc: ctypes.CDLL, writable: list[str], readonly: list[str], hidden: list[str]) -> None:
    for path in [*writable, *readonly]:
        _check(libc.mount(path.encode(), path.encode(), None, _MS_BIND_ALL, None))
    _set_attributes(libc, "/", set_to=_READ_ONLY)
    for path in [*_TEMPORARY, *writable]:
        _set_attributes(libc, path, clear=_READ_ONLY)
    for path in readonly:
        _set_attributes(libc, path, set_to=_READ_ONLY)
    for path in hidden:
        if os.path.isdir(path):  # noqa: PTH112
            _check(libc.mount(b"tmpfs", path.encode(), b"tmpfs", _MS_LOCKED_UP, b"mode=555"))
        elif os.path.exists(path):  # noqa: PTH110
            _check(libc.mount(b"/dev/null", path.encode(), None, _MS_BIND, None))


def _other_root(libc: ctypes.CDLL, other: str, writable: str) -> str:
    """Enter another system: its folders, read-only, with the host's devices and a /tmp of its own.

    Return where the host's files are now.
    """
    new = f"{writable}/root"
    os.makedirs(new, exist_ok=True)  # noqa: PTH103
    _check(libc.mount(b"tmpfs", new.encode(), b"tmpfs", 0, b"mode=755"))
    for entry in os.scandir(other):
        target = f"{new}/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)  # noqa: PTH115, PTH211
        elif entry.is_dir():
            os.mkdir(target)  # noqa: PTH102
            source = "/dev" if entry.name == "dev" else entry.path
            if entry.name not in {"proc", "tmp"}:
                _check(libc.mount(source.encode(), target.encode(), None, _MS_BIND_ALL, None))
            if entry.name not in {"proc", "tmp", "dev"}:
                _set_attributes(libc, target, set_to=_READ_ONLY)
    for name in ("proc", "tmp", HOST.strip("/")):
        os.makedirs(f"{new}/{name}", exist_ok=True)  # noqa: PTH103
    _check(libc.mount(b"/", f"{new}{HOST}".encode(), None, _MS_BIND_ALL, None))
    _check(libc.mount(b"proc", f"{new}/proc".encode(), b"proc", 0, None))
    for path in ("/tmp", "/var/tmp"):  # noqa: S108 - the other system's, which stays as it is
        if os.path.isdir(f"{new}{path}"):  # noqa: PTH112
            _check(libc.mount(b"tmpfs", f"{new}{path}".encode(), b"tmpfs", 0, b"mode=1777"))
    os.chroot(new)
    return HOST


def _drop_powers(libc: ctypes.CDLL) -> None:
    for power in _POWERS:
        libc.prctl(_PR_CAPBSET_DROP, power, 0, 0, 0)  # an ordinary user has none that could be dropped
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _set_attributes(libc: ctypes.CDLL, path: str, *, set_to: int = 0, clear: int = 0) -> None:
    """Set or clear attributes of the mount that a path is in, and of those below it."""
    if not os.path.ismount(path):
        if not os.path.isdir(path):  # noqa: PTH112
            return
        _check(libc.mount(path.encode(), path.encode(), None, _MS_BIND_ALL, None))
    attributes = struct.pack("QQQQ", set_to, clear, 0, 0)
    _check(
        libc.syscall(
            _MOUNT_SETATTR, _HERE, path.encode(), _RECURSIVE, attributes, ctypes.c_size_t(len(attributes))
        )
    )


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        answer = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


def _spawn(program: list[str], limits: dict[str, Any], *, watched: bool = False) -> int:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # it is waited for
    child = os.fork()
    if child == 0:
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            if limits["disk"] is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limits["disk"], limits["disk"]))
            os.execv(program[0], program)  # noqa: S606  no shell is intended
        except OSError as error:
            sys.stderr.write(f"{program[0]}: {error}\n")
            sys.stderr.flush()
            os._exit(127)
    return _watch(child, limits) if watched else _wait_for(child)


def _wait_for(child: int) -> int:
    while True:
        pid, status = os.wait()  # orphans end here too
        if pid == child:
            return _code(status)


def _watch(child: int, limits: dict[str, Any]) -> int:
    """Wait for a program, and look at what it uses meanwhile; when this process ends, all others do."""
    look_at_files = time.monotonic()
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == child:
            return _code(status)
        if pid:
            continue
        excess = _excess_of_processes(limits)
        now = time.monotonic()
        if not excess and limits["disk"] is not None and now >= look_at_files:
            used = sum(_bytes_below(folder, limits["disk"]) for folder in limits["folders"])
            excess = f"disk {used} {limits['disk']}" if used > limits["disk"] else ""
            # However many files there are, looking at them takes a small part of the time.
            look_at_files = now + max(_FILES_SECONDS, 10 * (time.monotonic() - now))
        if excess:
            sys.stderr.write(f"\nisolate: limit of {excess}\n")
            sys.stderr.flush()
            return LIMITED
        signal.sigtimedwait({signal.SIGCHLD}, _LOOK_SECONDS)


def _excess_of_processes(limits: dict[str, Any]) -> str:
    """Return which limit the processes exceed, with what they use and what they may; empty if none."""
    others = [pid for pid in os.listdir("/proc") if pid.isdecimal() and int(pid) != os.getpid()]  # noqa: PTH208
    if limits["processes"] is not None and len(others) > limits["processes"]:
        return f"processes {len(others)} {limits['processes']}"
    memory = limits["memory"]
    if memory is None or _memory_of(others, "statm") <= memory:
        return ""
    used = _memory_of(others, "smaps_rollup")
    return f"memory {used} {memory}" if used > memory else ""


def _memory_of(pids: list[str], file: str) -> int:
    """Return the bytes of memory that processes have.

    Those of ``statm`` count what processes share for each of them, but cost little to read.
    """
    total = 0
    for pid in pids:
        try:
            text = Path("/proc", pid, file).read_text(encoding="ascii")
        except OSError:
            continue  # it has ended
        if file == "statm":
            total += int(text.split()[1]) * _PAGE
        else:
            total += sum(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:"))
    return total


def _bytes_below(folder: str, enough: int) -> int:
    """Return the bytes that files in a folder take on the disk; of more than enough, not all are counted."""
    total, folders = 0, [folder]
    while folders and total <= enough:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError:
            continue  # removed meanwhile
    return total


def _code(status: int) -> int:
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
