"""Files of the cache that begin with the hash of their content, by which damage is noticed.

What they are made from names them, so that nothing else says whether they are as they were written.
"""

from pathlib import Path

from cuvee.files import sha256_bytes, write_bytes
from cuvee.progress import Reporter

_HEAD = 65


def load(path: Path, reporter: Reporter) -> memoryview | None:
    """Return the content of a cached file; `None` if there is none. A line says if one is damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    content = memoryview(data)[_HEAD:]
    if data[:_HEAD] == _head(content):
        return content
    reporter.warn(f"{path} is damaged; it is made again")
    return None


def save(path: Path, content: bytes) -> None:
    """Write a file of the cache."""
    write_bytes(path, _head(content) + content)


def _head(content: bytes | memoryview) -> bytes:
    return f"{sha256_bytes(content)}\n".encode()
