"""Headers of archives are read as `tarfile` reads them."""

import tarfile
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from cuvee.conda.package_archive import _PlainHeader

FIELDS = ((0, 100), (100, 108), (124, 136), (148, 156), (156, 157), (257, 265), (345, 500))
"""Where name, mode, size, checksum, type, magic and prefix are."""

SOME = st.sampled_from(
    [b"", b"\0", b" ", b"0", b"5", b"-1", b"0644 ", b"0o7", b"1_0", b"\x80\1", b"\xff" * 8, b"a/"]
)


def read(kind: type[tarfile.TarInfo], header: bytes) -> tuple[object, ...]:
    try:
        found = kind.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.TarError as error:
        return type(error), str(error)
    return found.name, found.mode, found.size, found.type, found.linkname


def with_checksum(header: bytes) -> bytes:
    total = sum(header[:148]) + sum(header[156:]) + 256
    return header[:148] + b"%06o\0 " % total + header[156:]


@given(
    name=st.text(st.characters(codec="utf-8"), max_size=160),
    mode=st.integers(0, 0o7777),
    size=st.integers(0, 1 << 36),
    kind=st.sampled_from([tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE]),
    changes=st.lists(st.tuples(st.sampled_from(FIELDS), st.binary(max_size=12) | SOME), max_size=3),
    sums=st.booleans(),
    end=st.integers(0, 512) | st.just(512),
)
@example(name="a", mode=0o644, size=1, kind=b"0", changes=[], sums=True, end=512)
@example(name="a", mode=0o644, size=1, kind=b"0", changes=[((100, 108), b"\xff" * 8)], sums=True, end=512)
@example(name="b/" * 60, mode=0o755, size=1, kind=b"0", changes=[((124, 136), b"-1")], sums=True, end=512)
def test_as_tarfile_reads_them(
    *,
    name: str,
    mode: int,
    size: int,
    kind: bytes,
    changes: list[tuple[tuple[int, int], bytes]],
    sums: bool,
    end: int,
) -> None:
    info = tarfile.TarInfo(name)
    info.mode, info.size, info.type = mode, size, kind
    header = bytes(512)
    with suppress(ValueError):
        header = info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")[:512]
    for (start, stop), data in changes:
        header = header[:start] + data[: stop - start].ljust(stop - start, b"\0") + header[stop:]
    header = (with_checksum(header) if sums else header)[:end]
    assert read(_PlainHeader, header) == read(tarfile.TarInfo, header)


def test_a_plain_one_is_not_left_to_tarfile() -> None:
    info = tarfile.TarInfo("site-packages/a.py")
    info.uname = "somebody"
    header = info.tobuf(tarfile.USTAR_FORMAT)
    assert tarfile.TarInfo.frombuf(header, "utf-8", "strict").uname == "somebody"
    assert _PlainHeader.frombuf(header, "utf-8", "strict").uname == ""
