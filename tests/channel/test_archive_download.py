"""Finding archives: one that is not to be had keeps nobody from the others."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checked_sets import package
from cuvee.channel import archive_download
from cuvee.channel.archive_download import all_or_raise, fetch_archives
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import SourceUnreachableError
from cuvee.files import write_text
from cuvee.progress import SILENT, Reporter
from heard_warnings import HeardWarnings

A, B, GONE = (
    replace(
        package(name),
        url=f"https://packages.example/linux-64/{name}-1.0-0.conda",
        channel="https://packages.example",
        sha256=hashlib.sha256(name.encode()).hexdigest(),
    )
    for name in ("a", "b", "gone")
)


@pytest.fixture(autouse=True)
def _fetching(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(item: LockedPackage, target: Path, *_: Any) -> None:
        if item.name == "gone":
            raise SourceUnreachableError(f"Cannot fetch {item.url}")
        write_text(target, item.name)

    monkeypatch.setattr(archive_download, "_fetch", fetch)


def find(folder: Path, *packages: LockedPackage, reporter: Reporter = SILENT) -> dict[str, Any]:
    nowhere: Any = None
    found: dict[str, Any] = fetch_archives(
        packages, release=folder, cache=folder / "cache", connection=nowhere, reporter=reporter
    )
    return found


def test_one_that_can_not_be_fetched_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    found = find(tmp_path, A, GONE, B)
    assert isinstance(found[GONE.identifier], SourceUnreachableError)
    assert [found[item.identifier].read_text() for item in (A, B)] == ["a", "b"]
    with pytest.raises(SourceUnreachableError, match=r"gone-1\.0-0\.conda"):
        all_or_raise(found)


def test_where_nothing_can_be_fetched_the_source_is_at_fault(tmp_path: Path) -> None:
    other = replace(GONE, platform="win-64", sha256="0" * 64)
    assert len(find(tmp_path, A)) == 1
    with pytest.raises(SourceUnreachableError):
        find(tmp_path, A, GONE, other)


@pytest.mark.parametrize(
    "content", [b"another valid package", b"", b"`"], ids=["replaced", "empty", "flipped bit"]
)
def test_an_archive_that_is_not_what_its_folder_names_is_fetched_again(
    tmp_path: Path, content: bytes
) -> None:
    kept = find(tmp_path, A)[A.identifier]
    kept.write_bytes(content)
    heard = HeardWarnings()
    assert find(tmp_path, A, reporter=heard)[A.identifier].read_text() == "a"
    assert heard.lines == [f"{kept} is not the archive that its folder names; it is fetched again"]
    assert find(tmp_path, A, reporter=heard)
    assert len(heard.lines) == 1
