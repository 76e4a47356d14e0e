"""Readers of a package's formats, written from their descriptions and not from what writes them."""

import struct
import xml.etree.ElementTree as ET
import zlib
from dataclasses import dataclass, field


@dataclass
class BomPath:
    """What a Bom says of one path."""

    number: int
    parent: int
    name: str
    kind: int
    flags: int
    mode: int
    owner: tuple[int, int]
    time: int
    size: int
    checksum: int
    link: str
    record: int


@dataclass
class Bom:
    """A Bom, read."""

    variables: dict[str, int]
    blocks: list[bytes]
    paths: list[BomPath]
    leaves: list[int] = field(default_factory=list)
    info: tuple[int, ...] = ()

    def full(self) -> dict[str, BomPath]:
        """Paths by their whole name."""
        names: dict[int, str] = {}
        result = {}
        for path in self.paths:
            names[path.number] = f"{names[path.parent]}/{path.name}" if path.parent else path.name
            result[names[path.number]] = path
        return result


def read_bom(data: bytes) -> Bom:
    magic, version, count, index_at, index_size, names_at, names_size = struct.unpack_from(">8s6I", data)
    assert (magic, version) == (b"BOMStore", 1)
    assert index_at + index_size == len(data)
    (places,) = struct.unpack_from(">I", data, index_at)
    assert index_size == 4 + 8 * places + 4 + 16
    assert not any(data[index_at + 4 + 8 * places :])
    blocks = []
    end = 512
    for number in range(places):
        at, size = struct.unpack_from(">II", data, index_at + 4 + 8 * number)
        assert (at, size) == (0, 0) if number == 0 else at == end
        end = max(end, at + size)
        blocks.append(data[at : at + size])
    assert count == places - 1
    variables = {}
    at = names_at + 4
    for _ in range(struct.unpack_from(">I", data, names_at)[0]):
        block, length = struct.unpack_from(">IB", data, at)
        variables[data[at + 5 : at + 5 + length].decode()] = block
        at += 5 + length
    assert at == names_at + names_size
    bom = Bom(variables=variables, blocks=blocks, paths=[])
    bom.info = struct.unpack(">7I", blocks[variables["BomInfo"]])
    _read_paths(bom)
    return bom


def read_tree(bom: Bom, block: int) -> tuple[int, int, int]:
    """Child, node size and count of a tree."""
    magic, version, child, node, count, rest = struct.unpack(">4sIIIIB", bom.blocks[block])
    assert (magic, version, rest) == (b"tree", 1, 0)
    assert len(bom.blocks[child]) == node
    return child, node, count


def _read_paths(bom: Bom) -> None:
    child, _, count = read_tree(bom, bom.variables["Paths"])
    is_leaf, inner = struct.unpack_from(">HH", bom.blocks[child])
    lasts: list[int | None] = [None]
    first = child
    if not is_leaf:
        pairs = [struct.unpack_from(">II", bom.blocks[child], 12 + 8 * n) for n in range(inner)]
        first = pairs[0][0]
        lasts = [pair[1] for pair in pairs]
    before, leaf = 0, first
    for last in lasts:
        data = bom.blocks[leaf]
        is_leaf, entries, forward, backward = struct.unpack_from(">HHII", data)
        assert is_leaf == 1
        assert entries > 0
        assert backward == before
        bom.leaves.append(leaf)
        value = 0
        for number in range(entries):
            key, value = struct.unpack_from(">II", data, 12 + 8 * number)
            bom.paths.append(_read_path(bom, key, value))
        assert last in {None, value}
        before, leaf = leaf, forward
    assert leaf == 0
    assert len(bom.paths) == count


def _read_path(bom: Bom, key: int, value: int) -> BomPath:
    number, facts = struct.unpack(">II", bom.blocks[key])
    record = bom.blocks[facts]
    kind, one, flags, mode, user, group, time, size, also_one, checksum, length = struct.unpack_from(
        ">BBHHIIIIBII", record
    )
    assert (one, also_one) == (1, 1)
    link = record[31 : 31 + length]
    assert not length or link.endswith(b"\0")
    assert not any(record[31 + length :])
    name = bom.blocks[value][4:]
    assert name.endswith(b"\0")
    return BomPath(
        number=number,
        parent=struct.unpack_from(">I", bom.blocks[value])[0],
        name=name[:-1].decode(),
        kind=kind,
        flags=flags,
        mode=mode,
        owner=(user, group),
        time=time,
        size=size,
        checksum=checksum,
        link=link[:-1].decode(),
        record=len(record),
    )


@dataclass
class CpioMember:
    """A member of a cpio archive."""

    name: str
    inode: int
    mode: int
    owner: tuple[int, int]
    links: int
    time: int
    data: bytes


def read_cpio(data: bytes) -> list[CpioMember]:
    assert len(data) % 512 == 0
    members: list[CpioMember] = []
    at = 0
    while True:
        assert data[at : at + 6] == b"070707"
        numbers = [int(data[at + 6 + 6 * n : at + 12 + 6 * n], 8) for n in range(7)]
        time = int(data[at + 48 : at + 59], 8)
        name_size, size = int(data[at + 59 : at + 65], 8), int(data[at + 65 : at + 76], 8)
        at += 76 + name_size
        name = data[at - name_size : at]
        assert name.endswith(b"\0")
        if name == b"TRAILER!!!\0":
            assert not any(data[at:])
            return members
        _, inode, mode, user, group, links, _ = numbers
        members.append(
            CpioMember(
                name=name[:-1].decode(),
                inode=inode,
                mode=mode,
                owner=(user, group),
                links=links,
                time=time,
                data=data[at : at + size],
            )
        )
        at += size


def read_xar(data: bytes) -> tuple[ET.Element, dict[str, bytes]]:
    """The table of contents, and the files by path, in their order in the table."""
    import hashlib

    magic, header, version, packed, size, digest = struct.unpack_from(">4sHHQQI", data)
    assert (magic, header, version, digest) == (b"xar!", 28, 1, 1)
    toc = data[28 : 28 + packed]
    table = zlib.decompress(toc)
    assert len(table) == size
    heap = data[28 + packed :]
    assert heap[:20] == hashlib.sha1(toc).digest()  # noqa: S324 - the format's
    root = ET.fromstring(table)  # noqa: S314 - of our own making
    files: dict[str, bytes] = {}
    end = 20
    for path, element in walk(root):
        if element.findtext("type") == "directory":
            continue
        at, length = (int(element.findtext(f"data/{name}") or "-1") for name in ("offset", "length"))
        assert at == end
        end = at + length
        files[path] = heap[at:end]
        for name in ("extracted", "archived"):
            stated = element.findtext(f"data/{name}-checksum")
            assert stated == hashlib.sha1(files[path]).hexdigest()  # noqa: S324 - the format's
    assert end == len(heap)
    return root, files


def walk(root: ET.Element) -> list[tuple[str, ET.Element]]:
    """All members with their paths, in the table's order."""
    found: list[tuple[str, ET.Element]] = []

    def below(element: ET.Element, start: str) -> None:
        for child in element.findall("file"):
            path = start + (child.findtext("name") or "")
            found.append((path, child))
            below(child, f"{path}/")

    toc = root.find("toc")
    assert toc is not None
    below(toc, "")
    return found
