"""What is published says what was checked, is valid by its formats, and has the same bytes every time."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from packageurl import PackageURL

from cuvee.errata.csaf_advisory import csaf_advisory
from cuvee.errata.desktop_errata import desktop_errata
from cuvee.errata.errata_page import errata_feed, errata_page
from cuvee.errata.errata_writer import write_errata
from cuvee.errata.known_releases import known_releases
from cuvee.errata.model import CheckedErratum
from cuvee.errata.openvex import openvex_document
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.pixi_lock import write_lock
from cuvee.trust.keys import SigningKey
from cuvee.trust.package_urls import conda_purl
from made_errata import BOTH, ERRATUM, FIXED, OLD, PUBLISHER, checked, package

ATOM = "{http://www.w3.org/2005/Atom}"
TRUE: Mapping[str, Any] = {"2026.10.0": {**BOTH, "osx-64": {"six": "1.17"}}, "2026.10.1": FIXED}
BUG = ERRATUM.replace("tiny-2026-1", "tiny-2026-2").replace("cves: [CVE-2026-12345]\n", "")
NO_FIX = (
    ERRATUM.replace("tiny-2026-1", "tiny-2026-3")
    .replace('fixed-releases: ["2026.10.1"]\n', "")
    .replace(', fixed: ">=1.3"', "")
    .replace("workaround: Read no files of other people.\n", "")
)


@pytest.fixture
def erratum(tmp_path: Path) -> CheckedErratum:
    return checked(tmp_path, ERRATUM, TRUE)


@pytest.fixture
def all_errata(tmp_path: Path, erratum: CheckedErratum) -> tuple[CheckedErratum, ...]:
    return erratum, checked(tmp_path, BUG, TRUE), checked(tmp_path, NO_FIX, {"2026.10.0": {"linux-64": OLD}})


def test_csaf_states_each_release_on_each_platform(erratum: CheckedErratum) -> None:
    document = csaf_advisory(erratum, PUBLISHER)
    assert document["document"]["category"] == "csaf_security_advisory"
    assert document["document"]["tracking"]["version"] == "2"
    assert document["document"]["tracking"]["current_release_date"] == "2026-12-02T00:00:00Z"
    (flaw,) = document["vulnerabilities"]
    assert flaw["cve"] == "CVE-2026-12345"
    assert flaw["product_status"] == {
        "known_affected": ["tiny-2026.10.0:linux-64", "tiny-2026.10.0:win-64"],
        "fixed": ["tiny-2026.10.1:linux-64", "tiny-2026.10.1:win-64"],
        "known_not_affected": ["tiny-2026.10.0:osx-64"],
    }
    assert [item["category"] for item in flaw["remediations"]] == ["vendor_fix", "workaround"]
    assert flaw["remediations"][0]["details"] == "Upgrade to tiny-2026.10.1."


def test_csaf_is_valid(all_errata: tuple[CheckedErratum, ...]) -> None:
    """By the schema, and by the mandatory tests of section 6.1, as the project csaf implements them."""
    validator = pytest.importorskip("csaf.csaf.v20", reason="needs the Python package csaf")
    for item in all_errata:
        document = csaf_advisory(item, PUBLISHER)
        report = validator.validate(document)
        assert len(report.results) > 30
        assert [result for result in report.results if result.errors] == [], item.erratum.number
        assert report.overall_valid
    del document["document"]["tracking"]["status"]
    assert not validator.validate(document).overall_valid


def test_an_erratum_without_a_cve_is_no_vulnerability(all_errata: tuple[CheckedErratum, ...]) -> None:
    document = csaf_advisory(all_errata[1], PUBLISHER)
    assert document["document"]["category"] == "csaf_base"
    assert document["vulnerabilities"][0]["ids"] == [
        {"system_name": "Example Labs: errata", "text": "tiny-2026-2"}
    ]
    assert openvex_document(all_errata[1:2], PUBLISHER) is None


def test_without_a_fix_that_is_said(all_errata: tuple[CheckedErratum, ...]) -> None:
    document = csaf_advisory(all_errata[2], PUBLISHER)
    assert document["vulnerabilities"][0]["remediations"][0]["category"] == "none_available"
    vex = openvex_document(all_errata[2:], PUBLISHER)
    assert vex is not None
    assert vex["statements"][0]["action_statement"] == "There is no fix yet."
    assert "no release yet" in errata_page(all_errata[2:], PUBLISHER)


def test_openvex_names_releases_and_the_packages_of_their_bills(erratum: CheckedErratum) -> None:
    document = openvex_document((erratum,), PUBLISHER)
    assert document is not None
    assert {*document} == {
        "@context", "@id", "author", "timestamp", "last_updated", "version", "statements"
    }  # fmt: skip
    assert (document["version"], document["@id"]) == (2, "https://example.org/errata/openvex.json")
    affected, fixed = document["statements"]
    assert (affected["status"], fixed["status"]) == ("affected", "fixed")
    assert affected["action_statement"] == "Upgrade to tiny-2026.10.1. Read no files of other people."
    assert "action_statement" not in fixed
    product = affected["products"][0]
    assert product["@id"] == "pkg:generic/tiny@2026.10.0?platform=linux-64"
    assert product["subcomponents"][0]["@id"] == conda_purl(package("zlab", "1.2", "linux-64"))
    urls = [item["@id"] for part in document["statements"] for item in part["products"]]
    assert len(urls) == len(set(urls)) == 4
    assert all(PackageURL.from_string(url).name == "tiny" for url in urls)


@pytest.mark.parametrize("own", ["https://conda.example/own", "file:///srv/dist/tiny-2026.11.0/channel"])
def test_packages_of_a_published_channel_are_named_as_in_the_bills(tmp_path: Path, own: str) -> None:
    made = replace(
        package("zlab", "1.2", "linux-64"), url="channel/linux-64/zlab-1.2-0.conda", channel="channel"
    )
    lock = Lock(platforms=(PlatformLock(platform="linux-64", packages=(made,), virtual_packages=()),))
    path = tmp_path / "dist" / "tiny-2026.11.0" / "lock" / "pixi.lock"
    write_lock(lock, path, channels=(), own_channel=own)
    (known,) = known_releases(tmp_path / "errata", tmp_path / "dist", ["tiny"])
    assert known.lock is not None
    (found,) = known.lock.platforms[0].packages
    place = "own/zlab@1.2" if own.startswith("https") else "zlab@1.2"
    assert conda_purl(found).startswith(f"pkg:conda/{place}?")


def test_the_desktop_gets_what_it_needs_without_comparing_versions(erratum: CheckedErratum) -> None:
    document = desktop_errata((erratum,), PUBLISHER)
    assert (document["errata"], document["updated"]) == (1, "2026-12-02")
    (entry,) = document["distributions"]["tiny"]
    assert entry["affected"] == {"2026.10.0": {"linux-64": ["zlab 1.2"], "win-64": ["zlab 1.2"]}}
    assert entry["fixed"] == ["2026.10.1"]


def test_the_page_escapes_and_is_whole(all_errata: tuple[CheckedErratum, ...]) -> None:
    text = errata_page(all_errata, PUBLISHER)
    assert "&lt;b&gt;are read twice&lt;/b&gt;" in text
    assert "<script" not in text
    assert '<a href="csaf/tiny-2026-1.json">' in text
    assert '<a href="https://www.cve.org/CVERecord?id=CVE-2026-12345">' in text
    assert "<p>A file can fill the memory of a program that reads it.</p>" in text
    assert "There are no errata." in errata_page((), PUBLISHER)


def test_the_feed_has_an_entry_for_each_and_its_last_change(all_errata: tuple[CheckedErratum, ...]) -> None:
    feed = ET.fromstring(errata_feed(all_errata, PUBLISHER))  # noqa: S314 - our own text
    entries = feed.findall(f"{ATOM}entry")
    assert (entries[0].findtext(f"{ATOM}title") or "").startswith("tiny-2026-3: ")
    assert len({entry.findtext(f"{ATOM}id") for entry in (feed, *entries)}) == 4
    assert {entry.findtext(f"{ATOM}updated") for entry in (feed, *entries)} == {"2026-12-02T00:00:00Z"}
    assert entries[0].findtext(f"{ATOM}published") == "2026-11-27T00:00:00Z"
    empty = ET.fromstring(errata_feed((), PUBLISHER))  # noqa: S314 - our own text
    assert empty.findtext(f"{ATOM}updated") == "1970-01-01T00:00:00Z"


def test_the_same_errata_give_the_same_bytes(all_errata: tuple[CheckedErratum, ...], tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_errata(all_errata, PUBLISHER, tmp_path / name)
    first, second = (
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (tmp_path / "one", tmp_path / "two")
    )
    assert first == second
    assert {*first} == {
        "index.html", "errata.atom", "errata.json", "openvex.json",
        *(f"csaf/tiny-2026-{number}.json" for number in (1, 2, 3)),
    }  # fmt: skip


def test_a_signature_is_of_these_errata_or_is_removed(
    all_errata: tuple[CheckedErratum, ...], tmp_path: Path
) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    key = SigningKey(public=private.public_key().public_bytes_raw(), _private=private)
    written = write_errata(all_errata, PUBLISHER, tmp_path, key)
    assert tmp_path / "errata.json.sig" in written
    Ed25519PublicKey.from_public_bytes(key.public).verify(
        (tmp_path / "errata.json.sig").read_bytes(), (tmp_path / "errata.json").read_bytes()
    )
    write_errata(all_errata[:1], PUBLISHER, tmp_path)
    assert not (tmp_path / "errata.json.sig").exists()
    assert json.loads((tmp_path / "errata.json").read_bytes())["publisher"] == "Example Labs"
