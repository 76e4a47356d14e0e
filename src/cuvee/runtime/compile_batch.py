"""Compile Python sources to byte code: a script for the release's own version of Python, never imported.

It runs where a release is cut, and on desktops. Until its stdin ends, it reads marshalled lists of
``(name, source, modification time)`` from there. For each it writes a marshalled list of ``.pyc`` contents to
stdout, behind its size of 8 bytes; `None` stands for a source that does not compile.

The same version of Python gives the same bytes, whatever else a process has imported. A set of constants that
two functions have would be one object for both, unless a name in it was known to the process before; see
``intern_string_constants`` in CPython's ``Objects/codeobject.c``.
"""

import importlib.util
import marshal
import struct
import sys
import warnings
from types import CodeType

SIZE_BYTES = 8


def compile_one(name: str, source: bytes, mtime: int) -> "bytes | None":
    """Return the byte code of a source, with the header of https://peps.python.org/pep-0552/."""
    try:
        code = compile(source, name, "exec", dont_inherit=True, optimize=0)
        first, item = code, _has_sets(code)
        # Now each name in them is known. In Python 3.11, that changes nothing else.
        if item > 1 or (item and sys.version_info > (3, 12)):
            code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None
    header = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, mtime, len(source) & 0xFFFFFFFF)
    compiled = header + marshal.dumps(code)
    del first  # its names are known until here
    return compiled


def _has_sets(code: CodeType) -> int:
    """Return whether constants of byte code have a set in them: 2 if two places have the same one.

    A name that the process knows is written in another way: another name in this script would change the byte
    code of the modules that have it.
    """
    todo: list[object] = [code]
    keys: set[int] = set()
    while todo:
        item = todo.pop()
        if isinstance(item, frozenset):
            if id(item) in keys:
                return 2
            keys.add(id(item))
        elif isinstance(item, CodeType):
            todo += item.co_consts
        elif isinstance(item, tuple):
            todo += item
    return 1 if keys else 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(10_000)
    while True:
        try:
            batch = marshal.load(sys.stdin.buffer)  # noqa: S302 - sent by our own process
        except EOFError:
            break
        answer = marshal.dumps([compile_one(*entry) for entry in batch])
        sys.stdout.buffer.write(len(answer).to_bytes(SIZE_BYTES, "little") + answer)
        sys.stdout.buffer.flush()
