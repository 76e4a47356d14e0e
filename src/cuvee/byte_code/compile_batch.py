"""Compile Python sources to byte code: a script for the release's own version of Python, never imported.

Until its stdin ends, reads marshalled lists of ``(name, source, modification time)`` from there. For each it
writes a marshalled list of ``.pyc`` contents to the file that is its argument, and an empty line to stdout;
`None` stands for a source that does not compile.

The names in this script and in what it imports decide flags in byte code: marshal marks what has more than
one reference, and names are shared. Another name here changes the bytes of releases.
"""

import importlib.util
import marshal
import struct
import sys
import warnings
from pathlib import Path


def compile_one(name: str, source: bytes, mtime: int) -> "bytes | None":
    try:
        code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None
    header = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, mtime, len(source) & 0xFFFFFFFF)
    return header + marshal.dumps(code)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(10_000)
    while True:
        try:
            batch = marshal.load(sys.stdin.buffer)  # noqa: S302 - sent by cuvee itself
        except EOFError:
            break
        Path(sys.argv[1]).write_bytes(marshal.dumps([compile_one(*entry) for entry in batch]))
        sys.stdout.write("\n")
        sys.stdout.flush()
