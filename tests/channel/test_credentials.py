"""Credentials by host, from rattler's file and from the variables of indexes."""

import json
from pathlib import Path

import pytest

from cuvee.channel.credentials import Credential, Credentials
from cuvee.errors import UsageError

BASIC = {"BasicHTTP": {"username": "ada", "password": "p"}}


def of_file(folder: Path, content: object, url: str) -> Credential | None:
    path = folder / "credentials.json"
    path.write_text(json.dumps(content))
    return Credentials({"RATTLER_AUTH_FILE": str(path)}).of(url)


@pytest.mark.parametrize(
    ("host", "url", "found"),
    [
        ("conda.example.org", "https://conda.example.org/c", True),
        ("Conda.example.org", "https://conda.EXAMPLE.org/c", True),
        ("*.example.org", "https://a.conda.example.org/c", True),
        ("*.example.org", "https://example.org/c", False),
        ("example.org", "https://example.org.evil.net/c", False),
        ("example.org", "https://evil.net/example.org", False),
        ("example.org:8443", "https://example.org:8443/c", True),
        ("example.org", "https://me@example.org:8443/c", True),
        ("example.org:8443", "https://example.org/c", False),
    ],
)
def test_a_credential_is_for_its_host(tmp_path: Path, host: str, url: str, found: bool) -> None:
    assert (of_file(tmp_path, {host: BASIC}, url) is not None) is found


def test_kinds(tmp_path: Path) -> None:
    url = "https://h.org/c/noarch/a.conda"
    assert of_file(tmp_path, {"h.org": BASIC}, url) == Credential(user="ada", password="p")
    assert of_file(tmp_path, {"h.org": {"BearerToken": "b"}}, url) == Credential(bearer="b")
    assert of_file(tmp_path, {"h.org": {"S3Credentials": {}}}, url) is None
    token = of_file(tmp_path, {"h.org": {"CondaToken": "to/ken"}}, url)
    assert token is not None
    assert token.address(url) == "https://h.org/t/to%2Fken/c/noarch/a.conda"


def test_the_usual_file(tmp_path: Path) -> None:
    assert Credentials({"HOME": str(tmp_path)}).of("https://h.org") is None
    (tmp_path / ".rattler").mkdir()
    (tmp_path / ".rattler/credentials.json").write_text(json.dumps({"h.org": BASIC}))
    assert Credentials({"HOME": str(tmp_path)}).of("https://h.org") is not None


@pytest.mark.parametrize("content", [[], {"h.org": 7}, {"h.org": {}}, {"h.org": {"BasicHTTP": {}}}, "secret"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: object) -> None:
    with pytest.raises(UsageError, match=r"credentials\.json cannot be read") as caught:
        of_file(tmp_path, content, "https://h.org")
    assert "secret" not in caught.value.message


def test_indexes() -> None:
    known = Credentials({"UV_INDEX": "mine=https://me:p%40ss@a.example/simple https://b.example/simple"})
    assert known.of("https://a.example/f.whl") == Credential(user="me", password="p@ss")
    assert known.of("https://b.example/f.whl") is None
