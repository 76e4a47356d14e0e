"""The cpio archives in a package: the "octet-oriented cpio interchange format" of POSIX ("odc").

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
"""

from collections.abc import Iterator, Sequence

from cuvee.image.model import SOURCE_TIME
from cuvee.installers.pkg.payload_entries import ROOT, PayloadEntry

_MAGIC = "070707"
_TRAILER = "TRAILER!!!"
_BLOCK = 512


def cpio(entries: Sequence[PayloadEntry]) -> Iterator[bytes]:
    """Yield the archive of ``entries``, folders before their content, in chunks.

    All entries are root's and have the same time, so that the archive is reproducible.
    """
    written = 0
    for number, entry in enumerate(entries):
        name = ROOT if entry.path == ROOT else f"./{entry.path}"
        children = sum(other.path != ROOT and other.parent == entry.path for other in entries)
        links = 2 + children if entry.is_folder else 1
        header = _header(name, inode=number, mode=entry.mode, links=links, size=entry.size)
        yield header
        yield from entry.chunks()
        written += len(header) + entry.size
    end = _header(_TRAILER, inode=0, mode=0, links=1, size=0, time=0)
    yield end + bytes(-(written + len(end)) % _BLOCK)


def _header(name: str, *, inode: int, mode: int, links: int, size: int, time: int = SOURCE_TIME) -> bytes:
    encoded = name.encode() + b"\0"
    owner = device = 0
    fields = (device, inode, mode, owner, owner, links, device)
    numbers = "".join(f"{number:06o}" for number in fields)
    return f"{_MAGIC}{numbers}{time:011o}{len(encoded):06o}{size:011o}".encode() + encoded
