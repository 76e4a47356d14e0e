"""apt's words, and what is made of them."""

from pathlib import Path

import pytest

from cuvee.channel.interpreter import apt
from cuvee.channel.interpreter.apt import Apt, for_any_architecture, host_settings, parse_records
from cuvee.channel.interpreter.debian_packages import upstream_version
from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.process import Request, run
from needed_programs import need


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("deb [arch=amd64] http://a b c\n", "deb http://a b c\n"),
        ("deb [signed-by=/k arch=amd64,i386] http://a b c\n", "deb [signed-by=/k ] http://a b c\n"),
        ("deb [arch=amd64 signed-by=/k] http://a b c\n", "deb [signed-by=/k] http://a b c\n"),
        ("deb http://search=x/arch b c\n", "deb http://search=x/arch b c\n"),
        ("Types: deb\nArchitectures: amd64 i386\nURIs: http://a\n", "Types: deb\nURIs: http://a\n"),
    ],
)
def test_sources_serve_any_architecture(source: str, changed: str) -> None:
    assert for_any_architecture(source) == changed


def test_proxies_are_kept_and_leave_to_skip_signatures_is_not() -> None:
    dump = (
        'APT::Architecture "amd64";\nAcquire::http::Proxy "http://proxy:3128";\n'
        'Acquire::AllowInsecureRepositories "true";\nAPT::Update::Post-Invoke:: "rm -rf /";\n'
    )
    assert host_settings(dump) == 'Acquire::http::Proxy "http://proxy:3128";\n'


def test_records_of_packages() -> None:
    text = "Package: a\nVersion: 1\nDescription: x\n more: y\n\nPackage: b\nDepends: c (>= 1) | d, e:any\n"
    assert parse_records(text) == {
        "a": {"Package": "a", "Version": "1", "Description": "x"},
        "b": {"Package": "b", "Depends": "c (>= 1) | d, e:any"},
    }


def _apt(log: str = "", **records: str) -> Apt:
    made = object.__new__(Apt)
    made._log = log
    made._known = {name: {"Depends": depends} for name, depends in records.items()}
    return made


def test_dependencies_are_the_first_of_each_alternative_once() -> None:
    assert _apt(a="c (>= 1) | d, e:any, c", b="e").dependencies(["a", "b"]) == ["c", "e"]


@pytest.mark.parametrize(
    ("log", "error"),
    [
        ("Err:1 http://a\n  Temporary failure resolving 'a'", SourceUnreachableError),
        ("W: Failed to fetch http://a/InRelease  Could not connect to a:80", SourceUnreachableError),
        (
            "W: GPG error: http://a: The following signatures couldn't be verified: NO_PUBKEY 1",
            IntegrityError,
        ),
        ("E: The repository 'http://a' is not signed.", IntegrityError),
    ],
)
def test_a_source_that_fails_is_why_something_is_missing(log: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        _apt(log).explain_absence()


def test_a_source_without_the_architecture_is_no_failure() -> None:
    _apt("W: Failed to fetch http://a/binary-arm64/Packages  404  Not Found").explain_absence()
    assert apt.parse_records("") == {}


@pytest.mark.parametrize(
    ("debian", "upstream"),
    [
        ("3.11.2-6+deb12u6", "3.11.2"),
        ("3.12.3-1ubuntu0.5", "3.12.3"),
        ("1:3.13.5~x", "3.13.5"),
        ("3.11.2", "3.11.2"),
    ],
)
def test_upstream_versions(debian: str, upstream: str) -> None:
    assert upstream_version(debian) == upstream


@pytest.mark.parametrize("debian", ["3.13", "3.14.0rc1-1", "", "3.11.2.1-1"])
def test_pre_releases_are_refused(debian: str) -> None:
    with pytest.raises(IntegrityError):
        upstream_version(debian)


@pytest.mark.real
def test_a_server_that_stalls_is_given_up(tmp_path: Path) -> None:
    need("apt-get", "apt-config")
    Apt("arm64", tmp_path)
    dump = run(Request(argv=("apt-config", "dump"), environment={"APT_CONFIG": str(tmp_path / "apt.conf")}))
    for scheme in ("http", "https"):
        assert f"Acquire::{scheme}::Timeout " in dump.stdout
    assert 'Acquire::Retries "2";' in dump.stdout
