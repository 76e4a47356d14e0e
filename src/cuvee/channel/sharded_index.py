"""The index of a channel by shards, one per package name: https://github.com/conda/ceps/blob/main/cep-0016.md

``rattler.index`` writes the same, but also the time of indexing: see `cuvee.channel.repodata_writer`.
"""

import struct
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from cuvee.files import sha256_bytes

SHARDS = "shards"
INDEX = "repodata_shards.msgpack.zst"
_HASHES = ("md5", "sha256")
_Records = Mapping[str, Mapping[str, Any]]


def sharded_index(subdir: str, records: _Records, compress: Callable[[bytes], bytes]) -> dict[str, bytes]:
    """Return the files of a subdir's sharded index, the index last."""
    by_name: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for file, record in sorted(records.items()):
        by_name[record["name"]][file] = _with_binary_hashes(record)
    files, shards = {}, {}
    for name, found in sorted(by_name.items()):
        shard = compress(msgpack({"packages": {}, "packages.conda": found, "removed": []}))
        shards[name] = sha256_bytes(shard)
        files[f"{SHARDS}/{shards[name]}.msgpack.zst"] = shard
    info = {"subdir": subdir, "base_url": "", "shards_base_url": f"./{SHARDS}/"}
    value = {"info": info, "shards": {name: bytes.fromhex(sha256) for name, sha256 in shards.items()}}
    files[INDEX] = compress(msgpack(value))
    return files


def _with_binary_hashes(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: bytes.fromhex(value) if name in _HASHES and isinstance(value, str) else value
        for name, value in sorted(record.items())
    }


def msgpack(value: Any) -> bytes:
    """Return a JSON value, in which hashes may be bytes, as MessagePack.

    https://github.com/msgpack/msgpack/blob/master/spec.md
    """
    if isinstance(value, str):
        data = value.encode(errors="replace")
        return _head(len(data), 0xA0, 31, (0xD9, 0xDA, 0xDB)) + data
    if isinstance(value, bytes):
        return _head(len(value), 0, -1, (0xC4, 0xC5, 0xC6)) + value
    if isinstance(value, Mapping):
        inside = b"".join(msgpack(key) + msgpack(item) for key, item in value.items())
        return _head(len(value), 0x80, 15, (0, 0xDE, 0xDF)) + inside
    if isinstance(value, list | tuple):
        return _head(len(value), 0x90, 15, (0, 0xDC, 0xDD)) + b"".join(map(msgpack, value))
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    constants = {None: b"\xc0", False: b"\xc2", True: b"\xc3"}
    return constants[value] if value is None or isinstance(value, bool) else _integer(value)


def _integer(value: int) -> bytes:
    if 0 <= value < 1 << 7:
        return struct.pack(">B", value)
    if -32 <= value < 0:  # noqa: PLR2004  the range of a negative fixint
        return struct.pack(">b", value)
    for code, form in (
        ((0xCC, ">BB"), (0xCD, ">BH"), (0xCE, ">BI"), (0xCF, ">BQ"))
        if value > 0
        else ((0xD0, ">Bb"), (0xD1, ">Bh"), (0xD2, ">Bi"), (0xD3, ">Bq"))
    ):
        try:
            return struct.pack(form, code, value)
        except struct.error:
            continue
    return msgpack(float(value))


def _head(length: int, small: int, most: int, codes: tuple[int, int, int]) -> bytes:
    if length <= most:
        return bytes([small | length])
    if length < 1 << 8 and codes[0]:
        return struct.pack(">BB", codes[0], length)
    if length < 1 << 16:
        return struct.pack(">BH", codes[1], length)
    return struct.pack(">BI", codes[2], length)
