"""An explicit list becomes a lock by what is in its archives."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from cuvee.channel.connection import Connection
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.explicit_list import ExplicitArchive
from cuvee.conda.package_archive import archive_hashes
from cuvee.errors import IntegrityError, SourceUnreachableError, UsageError
from cuvee.installers.constructor.explicit_archives import lock_archives
from cuvee.lock.model import PlatformLock
from cuvee.progress import SILENT

CONTENT = PackageContent(
    name="thing",
    version="1.0",
    build="py_0",
    subdir="noarch",
    noarch="python",
    timestamp=1_700_000_000_000,
    depends=("python >=3.9",),
    license="MIT",
    files=(PackageFile(path="site-packages/thing.py", content=b""),),
)


def lock(tmp_path: Path, *archives: ExplicitArchive) -> PlatformLock:
    return lock_archives(
        archives,
        "linux-64",
        {"glibc": "2.28"},
        cache=tmp_path / "cache",
        connection=cast(Connection, None),  # files need none
        reporter=SILENT,
    )


def test_an_archive_says_what_it_is(tmp_path: Path) -> None:
    path = write_package(CONTENT, tmp_path / "c" / "noarch")
    sha256, md5, size = archive_hashes(path)
    found = lock(tmp_path, ExplicitArchive(url=path.as_uri(), md5=md5, sha256=sha256))
    (package,) = found.packages
    assert (package.identifier, package.subdir, package.noarch) == (
        "thing-1.0-py_0@linux-64",
        "noarch",
        "python",
    )
    assert (package.sha256, package.md5, package.size) == (sha256, md5, size)
    assert (package.depends, package.license) == (("python >=3.9",), "MIT")
    assert (package.url, package.channel) == (path.as_uri(), (tmp_path / "c").as_uri())
    assert "__glibc 2.28" in map(str, found.virtual_packages)


@pytest.mark.parametrize("wrong", [{"md5": "0" * 32}, {"sha256": "0" * 64}])
def test_a_hash_that_differs_stops(tmp_path: Path, wrong: dict[str, str]) -> None:
    path = write_package(CONTENT, tmp_path / "c" / "noarch")
    with pytest.raises(IntegrityError, match="does not have the hash in the list"):
        lock(tmp_path, ExplicitArchive(url=path.as_uri(), **wrong))


def test_a_name_that_differs_stops(tmp_path: Path) -> None:
    """The format puts the name inside, too."""
    path = write_package(CONTENT, tmp_path / "c" / "noarch")
    other = path.rename(path.with_name("other-1.0-py_0.conda"))
    with pytest.raises(IntegrityError, match=r"other-1\.0-py_0"):
        lock(tmp_path, ExplicitArchive(url=other.as_uri()))


def test_what_is_no_archive_stops(tmp_path: Path) -> None:
    path = tmp_path / "thing-1.0-py_0.conda"
    path.write_bytes(b"nothing")
    with pytest.raises(IntegrityError):
        lock(tmp_path, ExplicitArchive(url=path.as_uri()))
    with pytest.raises(SourceUnreachableError):
        lock(tmp_path, ExplicitArchive(url=(tmp_path / "gone-1-0.conda").as_uri()))
    with pytest.raises(UsageError, match="is not the URL of a package"):
        lock(tmp_path, ExplicitArchive(url="https://h/c/noarch/thing.zip"))


def test_another_platform_or_a_second_build_stops(tmp_path: Path) -> None:
    foreign = write_package(replace(CONTENT, subdir="win-64", noarch=None), tmp_path / "c" / "win-64")
    with pytest.raises(UsageError, match="is for win-64"):
        lock(tmp_path, ExplicitArchive(url=foreign.as_uri()))
    first = write_package(CONTENT, tmp_path / "c" / "noarch")
    second = write_package(replace(CONTENT, build="py_1"), tmp_path / "c" / "noarch")
    with pytest.raises(UsageError, match="are both in the list"):
        lock(tmp_path, ExplicitArchive(url=first.as_uri()), ExplicitArchive(url=second.as_uri()))
