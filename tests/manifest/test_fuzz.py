"""Whatever a manifest holds, it loads or it has problems; nothing else ever happens."""

import datetime as dt
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cuvee.errors import ManifestError
from cuvee.manifest import load_manifest
from cuvee.manifest.documents.schema_types import ListType, MapType, RecordType, ScalarType, SchemaType
from cuvee.manifest.schema import MANIFEST

assert isinstance(MANIFEST.content, RecordType)

HERE = Path(__file__).parent
TODAY = dt.date(2026, 11, 22)
REAL = sorted(HERE.parents[1].glob("manifests/*/*.yaml"))
SEEDS = [*sorted((HERE / "good").glob("*.yaml")), *REAL]
TRICKS = [
    *(bytes([char]) for char in b"\t\0\xff{}[]|>\"'#%@`\r\n&*"),
    *b"&a,*a,<<: ,!!x ,---\n,...\n,: ,- ,? ,null,true,\\x,>=,|*,2026.11.0,based-on: ".split(b","),
    b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b'"\\ud800"', b"9" * 400,
]  # fmt: skip
"""What tends to trip readers of YAML."""


CHILD = b"manifest: 1\ndistribution: starter\nversion: 2026.11.9\nbased-on: BASE\npackages: {numpy: 2.4.1}\n"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the real manifests lie too, so that what is based on them finds them."""
    root = tmp_path_factory.mktemp("fuzz")
    for name in ("starter", "recipes/starter-tools", "installers/starter"):
        (root / name).mkdir(parents=True)
    for path in REAL:
        (root / "starter" / path.name).write_bytes(path.read_bytes())
    return root / "starter"


def survive(folder: Path, data: bytes, name: str) -> bool:
    """Load ``data``; give whether it was good. Every problem must have a span and be one line."""
    path = folder / name
    path.write_bytes(data)
    try:
        load_manifest(path, today=TODAY)
    except ManifestError as error:
        message = error.message
    else:
        return True
    assert " problem" in message.splitlines()[0]
    assert f" in {path}" in message
    return False


def test_there_are_real_manifests() -> None:
    assert {path.name for path in REAL} >= {"2026.11.0.yaml", "2026.11.1.yaml"}


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_the_real_manifests_have_no_problem(path: Path) -> None:
    load_manifest(path, today=TODAY)


@given(seed=st.sampled_from(SEEDS), numbers=st.integers(0, 2**32))
@settings(max_examples=300)
def test_mutated_bytes(folder: Path, seed: Path, numbers: int) -> None:
    chance = random.Random(numbers)  # noqa: S311 - not for secrets
    data = bytearray(seed.read_bytes())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[at:at] = chance.choice(TRICKS)
            case 1:
                del data[at : at + chance.choice([1, 2, 10, 200])]
            case 2:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                other = chance.randrange(len(data) + 1)
                data[at:at] = data[other : other + chance.choice([5, 50])]
            case 4:
                data[at:] = chance.choice(TRICKS)
    survive(folder, bytes(data), seed.name)
    if seed in REAL:
        survive(folder, CHILD.replace(b"BASE", seed.stem.encode()), "2026.11.9.yaml")
        (folder / seed.name).write_bytes(seed.read_bytes())


NAMES = st.sampled_from(sorted({key.name for key in MANIFEST.content.keys} | {"<<", "floor"}))
ATOMS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates().map(str)
    | st.sampled_from(["linux-64", "*", ">=1,<2", "host", "numpy", "2026.11.0", "./x", "a[b]", "https://x"])
)
TREES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | NAMES, inner, max_size=4)
    ),
    max_leaves=8,
)


def shaped(schema: SchemaType) -> st.SearchStrategy[Any]:
    """Values that mostly have the shape of ``schema``."""
    if isinstance(schema, ListType):
        return st.lists(shaped(schema.item) | ATOMS, max_size=3) | TREES
    if isinstance(schema, MapType):
        keys = st.sampled_from(["numpy", "NumPy", "core", "__x", "a b", "", "é"])
        return st.dictionaries(keys, shaped(schema.value) | TREES, max_size=3)
    if isinstance(schema, RecordType):
        keys_of = {key.name: shaped(key.type) | TREES for key in schema.keys}
        return st.fixed_dictionaries({}, optional=keys_of) | TREES
    assert isinstance(schema, ScalarType)
    return st.sampled_from(list(schema.choices) or [schema.example]) | ATOMS


@given(tree=shaped(MANIFEST.content))
@settings(max_examples=60)
def test_generated_structures(folder: Path, tree: Any) -> None:
    survive(folder, json.dumps(tree).encode(), "2026.12.0.yaml")
    survive(folder, yaml.dump(tree, Dumper=yaml.CSafeDumper, allow_unicode=True).encode(), "2026.12.0.yaml")


@given(data=st.binary(max_size=60))
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"%YAML 1.1\n%TAG ! tag:x,2000:\n--- !x")
def test_any_bytes(folder: Path, data: bytes) -> None:
    assert not survive(folder, data, "2026.12.0.yaml")
