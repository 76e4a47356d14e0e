"""The sharded index and the current one: read back with msgpack, and by rattler."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from rattler.index import index_fs

from cuvee.channel.current_index import current_records
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import index_channel
from cuvee.channel.sharded_index import INDEX, msgpack, sharded_index
from cuvee.files import parse_json, sha256_bytes

unpack = pytest.importorskip("msgpack", reason="needs msgpack, which distributed brings").unpackb

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_any_value_is_read_back(value: Any) -> None:
    assert unpack(msgpack(value)) == value


@pytest.mark.parametrize("length", [0, 15, 16, 31, 32, 255, 256, 65535, 65536])
def test_lengths_at_the_edges(length: int) -> None:
    for value in ("a" * length, b"a" * length, [None] * length, {str(item): item for item in range(length)}):
        assert unpack(msgpack(value)) == value


def record(name: str, version: str, *depends: str, build: str = "0") -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "depends": list(depends),
        "subdir": "noarch",
        "sha256": sha256_bytes(f"{name}{version}{build}".encode()),
        "size": 1,
    }


RECORDS = {
    f"{item['name']}-{item['version']}-{item['build']}.conda": item
    for item in (
        record("a", "1.10"),
        record("a", "1.9", "b <2"),
        record("b", "1.0"),
        record("b", "2.0"),
        record("b", "1.5"),
        record("c", "1.0", "b >=1.2,<2", "a"),
        record("d", "odd version", build="x"),
    )
}


def test_current_is_the_newest_and_what_it_needs() -> None:
    assert sorted(current_records(RECORDS)) == [
        "a-1.10-0.conda",
        "b-1.5-0.conda",
        "b-2.0-0.conda",
        "c-1.0-0.conda",
        "d-odd version-x.conda",
    ]


def test_each_name_has_a_shard_by_its_hash_and_order_does_not_matter() -> None:
    def compress(data: bytes) -> bytes:
        return zstandard.ZstdCompressor().compress(data)

    files = sharded_index("noarch", RECORDS, compress)
    assert files == sharded_index("noarch", dict(reversed(RECORDS.items())), compress)
    index = unpack(zstandard.decompress(files[INDEX]))
    assert sorted(index["shards"]) == ["a", "b", "c", "d"]
    for name, digest in index["shards"].items():
        data = files[f"shards/{digest.hex()}.msgpack.zst"]
        assert sha256_bytes(data) == digest.hex()
        shard = unpack(zstandard.decompress(data))
        for file, found in shard["packages.conda"].items():
            assert found | {"sha256": found["sha256"].hex()} == RECORDS[file]
            assert found["name"] == name


@pytest.mark.real
def test_it_says_what_the_index_of_rattler_says(tmp_path: Path) -> None:
    """But for times of indexing: see `cuvee.channel.sharded_index`."""
    for version in ("1.0", "1.1"):
        for name in ("one", "two"):
            content = PackageContent(
                name=name,
                version=version,
                build="0",
                subdir="noarch",
                noarch="generic",
                depends=("three >=1",),
                constrains=("four <2",),
                timestamp=1_700_000_000_000,
                license="MIT",
                files=(PackageFile(path="a.txt", content=b"a"),),
            )
            (tmp_path / "noarch").mkdir(exist_ok=True)
            write_package(content, tmp_path / "noarch")
    index_channel(tmp_path, [])
    records = parse_json((tmp_path / "noarch" / "repodata.json").read_bytes())["packages.conda"]
    mine = sharded_index("noarch", records, lambda data: data)
    (tmp_path / "noarch" / "repodata.json").unlink()
    asyncio.run(index_fs(tmp_path, write_zst=True, write_shards=True))

    def read(path: Path) -> Any:
        return unpack(zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes()))

    theirs = read(tmp_path / "noarch" / INDEX)
    index = unpack(mine[INDEX])
    assert theirs["info"].pop("created_at")
    assert index["info"] == theirs["info"]
    assert index["shards"].keys() == theirs["shards"].keys() == {"one", "two"}
    for name, digest in theirs["shards"].items():
        shard = read(tmp_path / "noarch" / "shards" / f"{digest.hex()}.msgpack.zst")
        for record in shard["packages.conda"].values():
            del record["indexed_timestamp"]
        assert unpack(mine[f"shards/{index['shards'][name].hex()}.msgpack.zst"]) == shard
