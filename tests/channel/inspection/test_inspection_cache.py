"""Keeping facts: what comes back is what was kept, or nothing."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.channel.inspection import ArchiveContents, ArchivedFile, Binary, inspection_cache
from cuvee.channel.inspection.inspection_cache import load, path_of, save
from cuvee.channel.inspection.model import SymbolVersion
from cuvee.conda.package_info import IndexJson
from heard_warnings import HeardWarnings

TEXT = st.text(max_size=8)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
SHA256 = "ab" * 32

FACTS = st.builds(
    ArchiveContents,
    sha256=st.just(SHA256),
    md5=TEXT,
    size=st.integers(0, 1 << 60),
    index=st.builds(
        IndexJson,
        name=TEXT,
        version=TEXT,
        build=TEXT,
        build_number=st.integers(),
        depends=TEXTS,
        constrains=TEXTS,
        license=st.none() | TEXT,
        timestamp=st.none() | st.integers(),
    ),
    entry_points=TEXTS,
    files=st.lists(
        st.builds(ArchivedFile, path=TEXT, sha256=st.none() | TEXT, link_target=st.none() | TEXT), max_size=3
    ).map(tuple),
    binaries=st.lists(
        st.builds(
            Binary,
            path=TEXT,
            format=st.sampled_from(["elf", "pe", "macho"]),
            needed=TEXTS,
            search_paths=TEXTS,
            required_versions=st.lists(st.builds(SymbolVersion, library=TEXT, version=TEXT), max_size=2).map(
                tuple
            ),
            cpu_level=st.integers(0, 4),
        ),
        max_size=2,
    ).map(tuple),
    problems=TEXTS,
)


@given(facts=FACTS)
@settings(max_examples=50)
def test_what_was_kept_comes_back(tmp_path: Path, facts: ArchiveContents) -> None:
    save(tmp_path, facts)
    assert load(tmp_path, SHA256) == facts


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    index = IndexJson(name="a", version="1", build="0", build_number=0)
    save(
        tmp_path, ArchiveContents(sha256=SHA256, md5="", size=1, index=index, files=(ArchivedFile(path="x"),))
    )
    assert load(tmp_path, SHA256) is not None
    return path_of(tmp_path, SHA256)


def test_a_damaged_file_counts_as_not_there(tmp_path: Path, kept: Path) -> None:
    whole = kept.read_bytes()
    for place in range(len(whole)):
        kept.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert load(tmp_path, SHA256) is None, place
        kept.write_bytes(whole[:place])
        assert load(tmp_path, SHA256) is None, place


def test_another_format_counts_as_not_there(
    tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection_cache, "FORMAT", inspection_cache.FORMAT + 1)
    assert load(tmp_path, SHA256) is None


def test_facts_of_another_archive_count_as_not_there(tmp_path: Path, kept: Path) -> None:
    other = path_of(tmp_path, "cd" * 32)
    other.parent.mkdir()
    other.write_bytes(kept.read_bytes())
    assert load(tmp_path, "cd" * 32) is None


def test_damage_is_told_and_another_format_is_not(tmp_path: Path, kept: Path) -> None:
    whole = kept.read_bytes()
    heard = HeardWarnings()
    for data in (b"", whole[:-1], b"x" + whole):
        kept.write_bytes(data)
        assert load(tmp_path, SHA256, heard) is None
    assert heard.lines == [f"{kept} is damaged; the archive is inspected again"] * 3
    kept.write_bytes(whole.replace(b"inspection ", b"inspection 9", 1))
    assert load(tmp_path, SHA256, heard) is None
    assert load(tmp_path, "cd" * 32, heard) is None
    assert len(heard.lines) == 3
