"""Unified diffs, read strictly: what GNU patch would guess is refused.

Format: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html, with the extended
headers of git, https://git-scm.com/docs/diff-format.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cuvee.conda.package_archive import is_safe_path
from cuvee.errors import DocumentError

MOST_PATCH = 8 << 20
"""Bytes of a patch file."""

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_MODE = re.compile(rb"(old|new|deleted file|new file) mode (\d{6})")
_REFUSED = {
    b"GIT binary patch": "it changes a binary file",
    b"Binary files ": "it changes a binary file",
    b"rename from ": "it renames a file",
    b"copy from ": "it copies a file",
}
_NO_NEWLINE = b"\\ No newline at end of file"
_NOTHING = "/dev/null"
_REGULAR = {b"100644", b"100755"}
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b'"': b'"', b"\\": b"\\", b"a": b"\a", b"b": b"\b"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """A part of a file, before and after.

    Attributes
    ----------
    number
        From 1, in its file.
    line
        Its line in the patch.
    start
        The line in the file at which it begins, from 1; 0 if there is nothing before.
    before, after
        Lines, each with its line end if it has one.
    """

    number: int
    line: int
    start: int
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePatch:
    """What a patch does to one file: it changes, adds or removes it.

    Attributes
    ----------
    path
        Without the first part, which is ``a`` or ``b``.
    """

    path: str
    adds: bool = False
    removes: bool = False
    hunks: tuple[Hunk, ...]


def parse_patch(data: bytes, name: str) -> tuple[FilePatch, ...]:
    """Return what a patch does, file by file.

    Raises
    ------
    DocumentError
        Naming the patch and its line, if it is not a unified diff that can only change text files below the
        folder that it is applied in.
    """
    found = tuple(_Reader(data, name).files())
    if not found:
        raise DocumentError(
            f"{name} has no unified diff", hint="Make it with `git diff` or `diff -u`: a/FILE to b/FILE."
        )
    return found


class _Reader:
    def __init__(self, data: bytes, name: str) -> None:
        if len(data) > MOST_PATCH:
            raise DocumentError(f"{name} has {len(data):,} bytes, and {MOST_PATCH:,} are allowed")
        self._lines = split_lines(data)
        self._name = name
        self._at = 0

    def files(self) -> Iterator[FilePatch]:
        """Yield what is done to each file; text between them is a comment, as patch has it."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._refuse(line)
            if line.startswith(b"--- ") and self._peek(1).startswith(b"+++ "):
                yield self._file()
            elif _HUNK.match(line):
                raise self._error("a hunk without a file: the lines --- and +++ are missing")
            else:
                self._at += 1

    def _file(self) -> FilePatch:
        begin = self._at
        old, new = self._path(4), self._path_after()
        if old is None and new is None:
            raise self._error("it has /dev/null on both sides", begin)
        if old is not None and new is not None and old != new:
            raise self._error(f"it makes {new} of {old}, and files keep their names", begin)
        path = new if new is not None else old or ""
        hunks: list[Hunk] = []
        while self._at < len(self._lines) and _HUNK.match(self._lines[self._at]):
            hunks.append(self._hunk(len(hunks) + 1))
        if not hunks:
            raise self._error(f"it has no hunk for {path}", begin)
        if (old is None and any(hunk.before for hunk in hunks)) or (
            new is None and any(hunk.after for hunk in hunks)
        ):
            raise self._error(f"a side of {path} that is /dev/null has lines", begin)
        return FilePatch(path=path, adds=old is None, removes=new is None, hunks=tuple(hunks))

    def _path_after(self) -> str | None:
        self._at += 1
        found = self._path(4)
        self._at += 1
        return found

    def _path(self, start: int) -> str | None:
        """Return the path on this line, without its first part; `None` for ``/dev/null``."""
        raw = self._lines[self._at][start:].rstrip(b"\r\n")
        text = _unquoted(raw) if raw.startswith(b'"') else raw.split(b"\t")[0]
        try:
            path = text.decode()
        except UnicodeDecodeError:
            raise self._error("the name of a file is not in UTF-8") from None
        if path == _NOTHING:
            return None
        first, _, rest = path.partition("/")
        if not is_safe_path(path) or not rest:
            raise self._error(f"{path!r} is not a path below the folder that is patched")
        if first not in {"a", "b"}:
            raise self._error(f"{path!r} does not begin with a/ or b/, as git writes it")
        return rest

    def _hunk(self, number: int) -> Hunk:
        begin = self._at
        match = _HUNK.match(self._lines[begin])
        if match is None:
            raise self._error("the hunk cannot be read")
        start, olds, news = int(match[1]), _count(match[2]), _count(match[4])
        self._at += 1
        before: list[bytes] = []
        after: list[bytes] = []
        while len(before) < olds or len(after) < news:
            kind, text = self._hunk_line(begin, number)
            if kind != b"+":
                before.append(text)
            if kind != b"-":
                after.append(text)
        if len(before) > olds or len(after) > news:
            raise self._error(f"hunk {number} has other lines than its @@ line says", begin)
        return Hunk(number=number, line=begin + 1, start=start, before=tuple(before), after=tuple(after))

    def _hunk_line(self, begin: int, number: int) -> tuple[bytes, bytes]:
        if self._at >= len(self._lines):
            raise self._error(f"hunk {number} ends early", begin)
        line = self._lines[self._at]
        # Editors remove the blank of an empty line at its end; patch and git read that, too.
        kind, text = (b" ", line) if line in {b"\n", b"\r\n"} else (line[:1], line[1:])
        if kind not in {b" ", b"+", b"-"}:
            raise self._error(f"hunk {number} has a line that begins with neither ' ', '+' nor '-'")
        self._at += 1
        if self._peek(0).startswith(_NO_NEWLINE[:12]):
            self._at += 1
            text = text.removesuffix(b"\n")
        return kind, text

    def _refuse(self, line: bytes) -> None:
        for start, why in _REFUSED.items():
            if line.startswith(start):
                raise self._error(why)
        mode = _MODE.match(line)
        if mode is not None and mode[2] not in _REGULAR:
            raise self._error("it makes a link or a submodule, and patches change regular files only")
        if mode is not None and mode[1] in {b"old", b"new"}:
            raise self._error("it changes the mode of a file")

    def _peek(self, offset: int) -> bytes:
        place = self._at + offset
        return self._lines[place] if place < len(self._lines) else b""

    def _error(self, why: str, at: int | None = None) -> DocumentError:
        line = (self._at if at is None else at) + 1
        return DocumentError(
            f"{self._name}:{line}: {why}",
            hint="A patch is a unified diff of text files, from a/FILE to b/FILE: `git diff` writes it.",
        )


def _count(text: bytes | None) -> int:
    return 1 if text is None else int(text)


def split_lines(data: bytes) -> list[bytes]:
    """Return lines that end with a line feed; ``splitlines`` would end them at a carriage return, too."""
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _unquoted(raw: bytes) -> bytes:
    """Return a name that git has quoted as C does."""
    text = raw[1 : raw.rfind(b'"')]
    return re.sub(
        rb"\\([0-7]{3}|.)",
        lambda match: (
            bytes([int(match[1], 8) & 0xFF]) if len(match[1]) > 1 else _ESCAPES.get(match[1], match[1])
        ),
        text,
    )
