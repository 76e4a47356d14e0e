"""Records survive rattler, and a locked package is a record."""

from dataclasses import replace

import pytest

from cuvee.conda.package_record import LockedPackage, Record
from cuvee.conda.rattler_records import from_gateway, from_rattler, matchable, repodata_record
from cuvee.conda.virtual_packages import VirtualPackage

URL = "https://channel.example.org/linux-64/"
BLAS = Record(
    name="blas", version="1!1.0", build="mkl", build_number=2, subdir="linux-64",
    url=f"{URL}blas-1!1.0-mkl.conda", channel="https://channel.example.org", sha256="0" * 64, md5="1" * 32,
    size=7, timestamp=1_700_000_000_123, depends=("a >=1",), constrains=("b <2",), license="MIT",
    noarch="generic", track_features=("mkl", "nomkl"),
)  # fmt: skip


@pytest.mark.parametrize("record", [BLAS, replace(BLAS, md5=None, license=None, noarch=None, timestamp=None)])
def test_a_record_survives_rattler(record: Record) -> None:
    rattlers = repodata_record(record, url=record.url, channel=record.channel)
    assert from_rattler(rattlers, url=record.url, channel=record.channel) == record
    assert matchable(record).name.normalized == "blas"


def test_a_locked_package_is_a_record_and_where_it_is_locked_for() -> None:
    package = BLAS.locked_for("linux-64")
    assert isinstance(package, LockedPackage)
    assert package.identifier == "blas-1!1.0-mkl@linux-64"
    assert package.file_name == "blas-1!1.0-mkl.conda"
    assert not package.is_local


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("torch-2.4.0%2Bcpu-py_0.conda", "torch-2.4.0+cpu-py_0.conda"),
        ("blas-1%211.0-mkl.conda", "blas-1!1.0-mkl.conda"),
        ("a%2F..%2Fb-1-0.conda", "b-1-0.conda"),
    ],
)
def test_a_file_name_is_not_written_as_in_an_address(name: str, expected: str) -> None:
    assert replace(BLAS, url=f"{URL}{name}").file_name == expected


def test_of_twins_the_conda_is_kept_and_a_name_has_one_channel() -> None:
    old = replace(BLAS, url=f"{URL}blas-1!1.0-mkl.tar.bz2")
    other = replace(BLAS, version="2", channel="https://other.example.org")
    found = [repodata_record(item, url=item.url, channel=item.channel) for item in (old, BLAS, other)]
    assert from_gateway(found) == [BLAS]


def test_a_virtual_package_is_a_record_of_the_system() -> None:
    record = VirtualPackage(name="__glibc", version="2.28").record
    assert record.is_virtual
    assert str(record) == "__glibc 2.28"
