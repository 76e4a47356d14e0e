"""The archive inside a package: cpio in its old portable ("odc") form, as POSIX describes it for `pax`."""

from collections.abc import Iterator, Sequence

from cuvee.errors import TooLargeError
from cuvee.image.model import SOURCE_TIME
from cuvee.installers.pkg.payload_entries import ROOT, PayloadEntry

_MAGIC = "070707"
_TRAILER = "TRAILER!!!"
_BLOCK = 512
_LARGEST = 0o77777777777
_MOST = 0o777777  # what six octal digits hold


def cpio(entries: Sequence[PayloadEntry]) -> Iterator[bytes]:
    """Give the archive of ``entries``, which `checked` has put in order, in pieces.

    All belong to root and have one time, so that the same entries give the same bytes.

    Raises
    ------
    TooLargeError
        If a file is larger than 8 GiB, which the format can not say.
    """
    children = dict.fromkeys((entry.path for entry in entries), 0)
    for entry in entries:
        if entry.path != ROOT:
            children[entry.parent] += 1
    written = 0
    for number, entry in enumerate(entries):
        size = entry.size
        if size > _LARGEST:
            raise TooLargeError(f"A macOS package can not hold {entry.path}: it is larger than 8 GiB")
        name = ROOT if entry.path == ROOT else f"./{entry.path}"
        links = 2 + children[entry.path] if entry.is_folder else 1
        header = _header(name, inode=number & _MOST, mode=entry.mode, links=links, size=size)
        yield header
        yield from entry.chunks()
        written += len(header) + size
    end = _header(_TRAILER, inode=0, mode=0, links=1, size=0, time=0)
    yield end + bytes(-(written + len(end)) % _BLOCK)


def _header(name: str, *, inode: int, mode: int, links: int, size: int, time: int = SOURCE_TIME) -> bytes:
    encoded = name.encode() + b"\0"
    owner = device = 0
    fields = (device, inode, mode, owner, owner, min(links, _MOST), device)
    numbers = "".join(f"{number:06o}" for number in fields)
    return f"{_MAGIC}{numbers}{time:011o}{len(encoded):06o}{size:011o}".encode() + encoded
