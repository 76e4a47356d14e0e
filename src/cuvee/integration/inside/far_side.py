"""Run a program of a release on a machine that another one reaches; the release's interpreter runs this.

Usage: ``python far_side.py FOLDER``, where FOLDER is that of the run. It talks to `far_client` through its
standard streams. First comes a request, JSON after its length, with what to do and the files that it needs.
What is answered are frames: a letter, the length, and so many bytes. ``w`` are the numbers of the files that
are missing here, whose contents follow; ``o`` and ``e`` are output; ``f`` is a file that has changed, JSON
with its size, and ``d`` its contents; ``m`` is what was found out about the machine, and ``x`` how it ended.

The standard input stays open. When it ends, the other side is gone: whatever was started is ended.
"""

from __future__ import annotations  # for releases with an old Python

import hashlib
import json
import os
import selectors
import shutil
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Any

MARK = "CUVEE_FAR_RUN"
"""The variable that all processes of a run have, by which they are found again."""

FAULT = "cuvee could not prepare or watch the program on this machine"
"""How an error of this program ends, rather than one of the release."""

_CHUNK = 1 << 16
_MOST_OUTPUT = 10_000_000
_LARGEST_FILE, _MOST_FILES = 16_000_000, 64_000_000
"""Bytes of one file that a program has written, and of all: larger ones stay here, and are named."""

_FOLDER, _LINK = -1, -2
"""Sizes of what is not a file."""

_LONGEST_EXCERPT = 100_000
_ROUNDS = 20


def main(top: str) -> int:
    request = json.loads(_read(struct.unpack(">I", _read(4))[0]))
    far = _FarSide(top, request)
    try:
        far.take_over()
        far.receive()
        if "look" in request:
            far.look(request["look"])
        if "words" in request:
            far.run()
        else:
            far.send("x", {"code": 0})
    except OSError as error:
        place = error.filename2 or error.filename or top  # of two, the one that a file is moved to
        far.send("x", {"code": 1, "error": f"{place}: {error.strerror or error}: {FAULT}"})
    finally:
        far.forget()
    return 0


class _FarSide:
    def __init__(self, top: str, request: dict[str, Any]) -> None:
        self._top, self._request = top, request
        self._lock = threading.Lock()
        self._name = request["run"]
        self._pid_file = os.path.join(top, "runs", self._name)  # noqa: PTH118
        self._known: dict[str, tuple[int, int]] = {}
        self._late = False

    def take_over(self) -> None:
        """End what an earlier attempt of this run has left, whose connection was lost, and its files."""
        with suppress(OSError, ValueError), open(self._pid_file, encoding="ascii") as file:  # noqa: PTH123
            _kill(int(file.read()))
        if self._request["attempt"] > 1:
            _end_marked(f"{self._top}:{self._name}:")
            for folder in self._request["bring_back"]:
                shutil.rmtree(self._here(folder), ignore_errors=True)
        os.makedirs(os.path.dirname(self._pid_file), exist_ok=True)  # noqa: PTH103, PTH120
        with open(self._pid_file, "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(str(os.getpid()))

    def forget(self) -> None:
        with suppress(OSError):
            os.unlink(self._pid_file)  # noqa: PTH108

    def receive(self) -> None:
        """Get the files that are not here already, each by its size and time."""
        entries = self._request["files"]
        lacking = []
        for number, (name, size, changed, _, link) in enumerate(entries):
            path = self._here(name)
            self._known[path] = (size, changed)
            if size == _LINK:
                make_link(path, link)
            elif size == _FOLDER:
                os.makedirs(path, exist_ok=True)  # noqa: PTH103
            elif _state(path) != (size, changed):
                lacking.append(number)
        self.send("w", lacking)
        for number in lacking:
            name, size, changed, mode, _ = entries[number]
            self._store(self._here(name), size, changed, mode)

    def _store(self, path: str, size: int, changed: int, mode: int) -> None:
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        part = f"{path}.{os.getpid()}.part"
        with open(part, "wb") as file:  # noqa: PTH123
            while size:
                data = _read(min(size, _CHUNK))
                file.write(data)
                size -= len(data)
        os.chmod(part, mode)  # noqa: PTH101
        os.utime(part, ns=(changed, changed))
        os.replace(part, path)  # noqa: PTH105

    def look(self, wanted: dict[str, Any]) -> None:
        """Answer what this machine allows, what the installer's hash is, and how the commands begin."""
        digest = hashlib.sha256()
        with open(self._here(wanted["installer"]), "rb") as file:  # noqa: PTH123
            while data := file.read(1 << 20):
                digest.update(data)
        level = ""
        for tried in wanted["isolate"]:
            done = subprocess.run(tried["words"], capture_output=True, env={}, timeout=60, check=False)
            if done.returncode == 0:
                level = tried["level"]
                break
        self.send("m", {"installer": digest.hexdigest(), "isolation": level})
        folder = self._here(wanted["commands"])
        for name in sorted(os.listdir(folder)):  # noqa: PTH208
            path = os.path.join(folder, name)  # noqa: PTH118
            if os.path.isfile(path):  # noqa: PTH113
                with open(path, "rb") as file:  # noqa: PTH123
                    data = file.read(_LONGEST_EXCERPT)
                self._send_file(f"{wanted['commands']}/{name}", data if data.startswith(b"#!") else data[:4])

    def run(self) -> None:
        """Run the program, and answer what it prints, how it ends, and the files that it has changed."""
        request = self._request
        for folder in request["folders"]:
            os.makedirs(self._here(folder), exist_ok=True)  # noqa: PTH103
        mark = f"{self._top}:{self._name}:{request['attempt']}"
        started = time.monotonic()
        try:
            child = subprocess.Popen(
                request["words"],
                cwd=self._here(request["cwd"]),
                env={**request["environment"], MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self.send("x", {"code": 127, "error": f"Cannot run {request['words'][0]}: {error.strerror}"})
            return
        threading.Thread(target=self._end_with_the_other_side, args=(child, mark), daemon=True).start()
        timer = threading.Timer(request["timeout"], self._stop_late, args=(child, mark))
        timer.daemon = True
        timer.start()
        try:
            self._relay(child, mark)
        except BaseException:
            _end(child, mark)
            raise
        timer.cancel()
        seconds = time.monotonic() - started
        for folder in request["discard"]:
            shutil.rmtree(self._here(folder), ignore_errors=True)
        left = self._bring_back() if not self._late else []
        code = child.returncode if child.returncode >= 0 else 128 - child.returncode
        self.send("x", {"code": code, "late": self._late, "seconds": seconds, "left": left})

    def _relay(self, child: subprocess.Popen[bytes], mark: str) -> None:
        """Send output until the program has ended; what it leaves running is ended then."""
        outputs = {"o": _Output(), "e": _Output()}
        ended = threading.Event()

        def wait() -> None:
            child.wait()
            _end(child, mark)
            ended.set()

        waiting = threading.Thread(target=wait, daemon=True)
        waiting.start()
        with selectors.DefaultSelector() as selector:
            for letter, pipe in (("o", child.stdout), ("e", child.stderr)):
                selector.register(pipe, selectors.EVENT_READ, letter)  # type: ignore[arg-type]
            while selector.get_map():
                ready = selector.select(0.5)
                if not ready and ended.is_set():
                    break  # something that could not be ended holds the pipe
                for key, _ in ready:
                    data = os.read(key.fd, _CHUNK)
                    if not data:
                        selector.unregister(key.fileobj)
                    for part in outputs[key.data].parts(data):
                        self.send(key.data, part)
        waiting.join()
        for letter, output in outputs.items():
            for part in output.rest():
                self.send(letter, part)

    def _bring_back(self) -> list[str]:
        """Send the files that the program has made or changed; return the names of those too large."""
        room, left = _MOST_FILES, []
        for folder in self._request["bring_back"]:
            for parent, _, names in os.walk(self._here(folder)):
                for name in sorted(names):
                    path = os.path.join(parent, name)  # noqa: PTH118
                    found = _state(path)
                    if found is None or self._known.get(path) == found:
                        continue
                    if found[0] > min(_LARGEST_FILE, room):
                        left.append(name)
                        continue
                    try:
                        with open(path, "rb") as file:  # noqa: PTH123
                            data = file.read(found[0])
                    except OSError:
                        continue  # not even its owner may read it
                    room -= len(data)
                    self._send_file(os.path.relpath(path, self._top), data)
        return left[:20]

    def _send_file(self, name: str, data: bytes) -> None:
        self.send("f", {"name": name, "size": len(data)})
        for start in range(0, len(data), _CHUNK):
            self.send("d", data[start : start + _CHUNK])

    def _end_with_the_other_side(self, child: subprocess.Popen[bytes], mark: str) -> None:
        while os.read(0, _CHUNK):
            pass
        _end(child, mark)
        self.forget()
        os._exit(1)

    def _stop_late(self, child: subprocess.Popen[bytes], mark: str) -> None:
        self._late = True
        _end(child, mark)

    def send(self, letter: str, content: object) -> None:
        """Send a frame; if it is not taken, the thread that reads the standard input sees that too."""
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        with self._lock:
            frame = letter.encode() + struct.pack(">I", len(data)) + data
            while frame:
                frame = frame[os.write(1, frame) :]

    def _here(self, name: str) -> str:
        """Return the path of a file that the other side names, which is below the run's folder."""
        return os.path.join(self._top, name)  # noqa: PTH118


class _Output:
    """One output: its beginning is sent at once, and of much output only the end besides."""

    def __init__(self) -> None:
        self._room, self._end, self._lost = _MOST_OUTPUT // 2, b"", 0

    def parts(self, data: bytes) -> list[bytes]:
        """Return what of the data to send now."""
        now, rest = data[: self._room], data[self._room :]
        self._room -= len(now)
        self._end += rest
        if len(self._end) > _MOST_OUTPUT:
            self._shorten()
        return [now] if now else []

    def rest(self) -> list[bytes]:
        """Return what to send at the end."""
        self._shorten()
        note = f"\n[… {self._lost:,} bytes left out …]\n".encode() if self._lost else b""
        text = note + self._end
        return [text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK)]

    def _shorten(self) -> None:
        excess = len(self._end) - _MOST_OUTPUT // 2
        if excess > 0:
            self._end, self._lost = self._end[excess:], self._lost + excess


def make_link(path: str, link: str) -> None:
    """Make a symbolic link, unless it is there; several runs may do so at once, and none sees it absent."""
    try:
        if os.readlink(path) == link:  # noqa: PTH115
            return
    except OSError:
        pass
    part = f"{path}.{os.getpid()}.{threading.get_ident()}.part"
    os.symlink(link, part)  # noqa: PTH211
    os.replace(part, path)  # noqa: PTH105


def _read(count: int) -> bytes:
    """Read from the other side exactly so much; this ends if it is gone."""
    found = b""
    while len(found) < count:
        data = os.read(0, count - len(found))
        if not data:
            os._exit(1)
        found += data
    return found


def _state(path: str) -> tuple[int, int] | None:
    """Return the size and time of a regular file; `None` for anything else."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _end(child: subprocess.Popen[bytes], mark: str) -> None:
    """End a program with all that it has started, as far as it can be found."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    _end_marked(mark)


def _end_marked(mark: str) -> None:
    """End the processes that have a mark in their variables; only Linux tells them."""
    wanted = f"{MARK}={mark}".encode()
    for _ in range(_ROUNDS if os.path.isdir("/proc/self") else 0):  # noqa: PTH112
        found = [int(pid) for pid in os.listdir("/proc") if pid.isdecimal() and _has(pid, wanted)]  # noqa: PTH208
        if not found:
            return
        for pid in found:
            _kill(pid)


def _has(pid: str, wanted: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
            return any(part.startswith(wanted) for part in file.read().split(b"\0"))
    except OSError:
        return False


def _kill(pid: int) -> None:
    with suppress(OSError):
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
