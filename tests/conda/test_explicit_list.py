"""Explicit lists are read as they are written."""

import pytest

from cuvee.conda.explicit_list import ExplicitArchive, explicit_list, parse_explicit_line
from cuvee.conda.package_record import LockedPackage

OTHER = LockedPackage(
    name="a", version="1", build="0", build_number=0, platform="linux-64", subdir="linux-64", md5="a" * 32,
    url="https://h/c/linux-64/a-1-0.conda", channel="https://h/c", sha256="b" * 64,
)  # fmt: skip
OWN = LockedPackage(
    name="b", version="1", build="0", build_number=0, platform="linux-64", subdir="noarch",
    url="channel/noarch/b-1-0.conda", channel="channel", sha256="b" * 64,
)  # fmt: skip


def test_a_list_has_a_line_per_archive() -> None:
    text = explicit_list([OTHER, OWN], "linux-64", comments=["tiny-1"], release=".")
    lines = text.splitlines()
    assert lines[:3] == ["# tiny-1", "# platform: linux-64", "@EXPLICIT"]
    assert [parse_explicit_line(line) for line in lines[3:]] == [
        ExplicitArchive(url=OTHER.url, md5="a" * 32),
        ExplicitArchive(url=f"./{OWN.url}"),
    ]


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        ("A" * 32, ("a" * 32, "")),
        ("md5:" + "a" * 32, ("a" * 32, "")),
        ("b" * 64, ("", "b" * 64)),
        ("sha256:" + "B" * 64, ("", "b" * 64)),
    ],
)
def test_digests_are_those_of_conda_mamba_and_pixi(digest: str, expected: tuple[str, str]) -> None:
    archive = parse_explicit_line(f"https://h/a-1-0.conda#{digest}")
    assert (archive.md5, archive.sha256) == expected


@pytest.mark.parametrize("digest", ["zz", "a" * 31, "sha256:" + "a" * 32])
def test_what_is_not_a_digest_is_an_error(digest: str) -> None:
    with pytest.raises(ValueError, match="neither an MD5 nor a SHA-256"):
        parse_explicit_line(f"https://h/a-1-0.conda#{digest}")
