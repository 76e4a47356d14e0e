"""Package URLs: the examples of CEP 49, its rules, and packageurl-python as an independent reader."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packageurl import PackageURL

from cuvee.conda.package_record import LockedPackage
from cuvee.trust.package_urls import DEFAULT_REPOSITORY, conda_purl, wheel_purl

FORGE = "https://conda.anaconda.org/conda-forge"


def package(channel: str, **fields: Any) -> LockedPackage:
    values: dict[str, Any] = {
        "name": "python",
        "version": "3.13.12",
        "build": "hc97d973_100_cp313",
        "build_number": 100,
        "subdir": "linux-64",
        "platform": "linux-64",
        "channel": channel,
        "sha256": "ab" * 32,
    } | fields
    file = f"{values['name']}-{values['version']}-{values['build']}.conda"
    return LockedPackage(url=f"{channel}/{values['subdir']}/{file}", **values)


@pytest.mark.parametrize(
    ("channel", "place", "repository"),
    [
        (FORGE, "conda-forge/", ""),
        ("https://prefix.dev/conda-forge", "conda-forge/", "https%3A%2F%2Fprefix.dev"),
        (f"{FORGE}/label/rc/", "conda-forge/label/rc/", ""),
        ("https://user:secret@conda.example/t/token/forge", "forge/", "https%3A%2F%2Fconda.example"),
        ("https://conda.example", "", "https%3A%2F%2Fconda.example"),
        ("https://conda.anaconda.org/defaults", "", "https%3A%2F%2Fconda.anaconda.org%2Fdefaults"),
        ("https://conda.example/a%20b", "", "https%3A%2F%2Fconda.example%2Fa%2520b"),
        ("file:///srv/conda", "", "file%3A%2F%2F%2Fsrv%2Fconda"),
    ],
)
def test_the_channel_is_the_namespace(channel: str, place: str, repository: str) -> None:
    at = f"&repository_url={repository}" if repository else ""
    assert conda_purl(package(channel)) == (
        f"pkg:conda/{place}python@3.13.12?build=hc97d973_100_cp313{at}&subdir=linux-64&type=conda"
    )


def test_epochs_and_local_versions_are_encoded() -> None:
    assert "@1%212.0%2Bx?" in conda_purl(package(FORGE, version="1!2.0+x"))


def test_one_of_the_own_channel_has_its_hash_instead_of_a_place() -> None:
    url = conda_purl(package("channel"))
    assert url.startswith("pkg:conda/python@3.13.12?")
    assert f"&checksum=sha256:{'ab' * 32}&" in url
    assert conda_purl(package("channel").published("https://conda.example/own")) == conda_purl(
        package("https://conda.example/own")
    )


def test_wheels() -> None:
    url = wheel_purl("numpy", "2.4.0+x", "numpy-2.4.0+x-cp311-cp311-win_amd64.whl")
    read = PackageURL.from_string(url)
    assert (read.type, read.name, read.version) == ("pypi", "numpy", "2.4.0+x")
    assert read.qualifiers == {"file_name": "numpy-2.4.0+x-cp311-cp311-win_amd64.whl"}


@given(
    st.from_regex(
        r"https://[a-z]{1,9}\.example(:[1-9][0-9]{0,3})?(/[A-Za-z0-9._-]{1,9}){0,3}/?", fullmatch=True
    ),
    st.from_regex(r"([0-9]!)?[0-9]{1,3}(\.[0-9a-z]{1,3}){0,3}(\+[0-9a-z]{1,3})?", fullmatch=True),
)
def test_others_read_what_was_written(channel: str, version: str) -> None:
    assume("/t/" not in channel)  # what follows is a token, which is left out
    url = conda_purl(package(channel, version=version))
    read = PackageURL.from_string(url)
    assert (read.name, read.version) == ("python", version)
    repository = read.qualifiers.get("repository_url", DEFAULT_REPOSITORY)
    place = f"{repository}/{read.namespace}" if read.namespace else repository
    assert unquote(place) == clean(channel)
    assert "channel" not in read.qualifiers
    assert re.fullmatch(r"[A-Za-z0-9:/@?&=%._~-]+", url)


def clean(channel: str) -> str:
    parts = urlsplit(channel)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
