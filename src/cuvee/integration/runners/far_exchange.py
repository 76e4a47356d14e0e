"""Talking to ``inside/far_side.py``: sending a request and files, and taking what is answered."""

import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.codec import DecodeError, Json, decode
from cuvee.integration.runners.far_connection import LostError, ShellConnection
from cuvee.integration.runners.far_work import far_path

_LONGEST_FRAME, _MOST_FILES = 1 << 22, 64_000_000
_HEAD = 5  # a letter and a length


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file that the machine needs, as it is now. The size of a folder is -1; that of a link -2."""

    path: Path
    size: int
    changed: int = 0
    mode: int = 0o700
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a program ended there. ``left`` are files that were too large to be brought back."""

    code: int
    late: bool = False
    seconds: float = 0.0
    left: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What ``far_side.py`` finds out about its machine."""

    installer: str
    isolation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _BroughtBack:
    name: str
    size: int


@dataclass(kw_only=True)
class FarAnswer:
    """What was answered: output, and what was found out."""

    ended: Ended | None = None
    looked: Looked | None = None
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)


def exchange(
    connection: ShellConnection,
    request: Mapping[str, Json],
    files: tuple[SentFile, ...],
    folders: tuple[Path, ...],
) -> FarAnswer:
    """Send a request, and return the answer; files that come with it are written.

    Parameters
    ----------
    folders
        Where files that come may be; the machine cannot write elsewhere.

    Raises
    ------
    LostError
        If the connection is lost, or the machine answers what it must not.
    """
    entries: Json = [
        [far_path(str(item.path)), item.size, item.changed, item.mode, item.link] for item in files
    ]
    data = json.dumps({**request, "files": entries}).encode()
    connection.write(struct.pack(">I", len(data)) + data)
    answer, room = FarAnswer(), _MOST_FILES
    while answer.ended is None and (frame := _frame(connection)) is not None:
        letter, content = frame
        try:
            match letter:
                case "w":
                    for number in decode(tuple[int, ...], json.loads(content)):
                        connection.write(_content(files[number]))
                case "o":
                    answer.stdout += content
                case "e":
                    answer.stderr += content
                case "f":
                    room -= _store(connection, decode(_BroughtBack, json.loads(content)), folders, room)
                case "m":
                    answer.looked = decode(Looked, json.loads(content))
                case "x":
                    answer.ended = decode(Ended, json.loads(content))
                case _:
                    raise LostError("the machine does not answer in the way that is expected")
        except (DecodeError, ValueError, IndexError) as error:
            raise LostError("the machine does not answer in the way that is expected") from error
    return answer


def files_below(paths: Iterator[Path]) -> Iterator[SentFile]:
    """Yield files and folders, and what is in these; absolute links and special files are left out."""
    for top in paths:
        for path in (top, *sorted(top.rglob("*"))) if top.is_dir() else (top,):
            if path.is_symlink():
                link = path.readlink()
                if not link.is_absolute():
                    yield SentFile(path=path, size=-2, link=str(link))
                continue
            found = path.stat()
            if path.is_dir():
                yield SentFile(path=path, size=-1)
            elif path.is_file():
                mode = found.st_mode & 0o755
                yield SentFile(path=path, size=found.st_size, changed=found.st_mtime_ns, mode=mode)


def _content(item: SentFile) -> bytes:
    """Return exactly as many bytes as were announced."""
    with item.path.open("rb") as file:
        return file.read(item.size).ljust(item.size, b"\0")


def _store(connection: ShellConnection, file: _BroughtBack, folders: tuple[Path, ...], room: int) -> int:
    """Write a file that comes, which must be in one of the folders; return its size."""
    path = Path("/", file.name)
    if ".." in path.parts or not any(path.is_relative_to(folder) for folder in folders):
        raise LostError(f"the machine has sent a file to {path}")
    if not 0 <= file.size <= room:
        raise LostError(f"the machine has sent too much: {file.size} bytes to {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    left = file.size
    with path.open("wb") as stream:
        while left > 0:
            frame = _frame(connection)
            if frame is None or frame[0] != "d" or not frame[1]:
                raise LostError(f"{path} has not come completely")
            stream.write(frame[1][:left])
            left -= len(frame[1])
    os.chmod(path, 0o700)  # noqa: PTH101 - what is a program there is one here
    return file.size


def _frame(connection: ShellConnection) -> tuple[str, bytes] | None:
    """Return the letter and content of the next frame; `None` at the end."""
    head = connection.read(_HEAD)
    if len(head) < _HEAD:
        return None
    size = struct.unpack(">I", head[1:])[0]
    if size > _LONGEST_FRAME:
        raise LostError("the machine does not answer in the way that is expected")
    data = connection.read(size) if size else b""
    return (head[:1].decode("latin-1"), data) if len(data) == size else None
