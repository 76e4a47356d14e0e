"""A package as a whole: its members, their order, and that the same image gives the same bytes."""

import gzip
import io
import os
import tracemalloc
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cuvee.errors import IntegrityError, TooLargeError, UsageError
from cuvee.files import sha256_file
from cuvee.image.model import Image, ReleaseLabel
from cuvee.installers.pkg import bom, build
from cuvee.installers.pkg.build import build_pkg
from cuvee.installers.sh import build_sh
from cuvee.progress import SILENT
from installers.pkg.images import fake_image
from installers.pkg.readers import read_bom, read_cpio, read_xar, walk

HOSTILE = "</title>&\"'<x> $HOME `id` \x00\x1b\ud800\ufffe\nÜ \N{GRINNING FACE}"


def make(image: Image, target: Path, **texts: str) -> Path:
    values = {
        "identifier": "org.example.tiny",
        "license_text": "Be <kind>.\f\n",
        "welcome_text": "Hëllo & so",
    }
    return build_pkg(image, target=target, reporter=SILENT, **(values | texts))


def documents(package: Path) -> dict[str, ET.Element]:
    _, files = read_xar(package.read_bytes())
    return {
        name: ET.fromstring(files[name])  # noqa: S314 - of our own making
        for name in ("Distribution", "tiny.pkg/PackageInfo")
    }


def test_members_are_in_the_usual_order(tmp_path: Path) -> None:
    package = make(fake_image(tmp_path / "image"), tmp_path / "new" / "Tiny.pkg")
    root, files = read_xar(package.read_bytes())
    members = walk(root)
    component = [f"tiny.pkg/{name}" for name in ("Bom", "Payload", "Scripts", "PackageInfo")]
    resources = ["Resources/license.html", "Resources/welcome.html"]
    assert [path for path, _ in members] == ["tiny.pkg", *component, "Resources", *resources, "Distribution"]
    assert [int(element.get("id") or 0) for _, element in members] == list(range(1, 10))
    assert members[0][1].findtext("mode") == "0700"
    assert {element.findtext("uid") for _, element in members} == {"0"}
    assert root.findtext("toc/creation-time") == "2020-01-01T00:00:00"
    assert list(files) == [*component, *resources, "Distribution"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image", "new"]
    assert list((tmp_path / "new").iterdir()) == [package]


def test_payload_is_the_sh_installer_below_a_hidden_folder(tmp_path: Path) -> None:
    image = fake_image(tmp_path / "image")
    _, files = read_xar(make(image, tmp_path / "Tiny.pkg").read_bytes())
    assert files["tiny.pkg/Payload"][4:8] == bytes(4)
    payload = read_cpio(gzip.decompress(files["tiny.pkg/Payload"]))
    staged = "./.tiny-installer"
    assert [member.name for member in payload] == [".", staged, f"{staged}/installer.sh"]
    installer = build_sh(
        image,
        license_text="Be <kind>.\f\n",
        target=tmp_path / "Tiny-2026.11.0-MacOSX-arm64.sh",
        reporter=SILENT,
    )
    assert payload[2].data == installer.read_bytes()
    paths = read_bom(files["tiny.pkg/Bom"]).full()
    assert list(paths) == [member.name for member in payload]
    assert [path.mode for path in paths.values()] == [member.mode for member in payload]
    assert paths[f"{staged}/installer.sh"].size == len(payload[2].data)
    scripts = read_cpio(gzip.decompress(files["tiny.pkg/Scripts"]))
    assert [(member.name, oct(member.mode)) for member in scripts] == [
        (".", "0o40755"),
        ("./postinstall", "0o100755"),
    ]


def test_what_installer_is_told(tmp_path: Path) -> None:
    image = fake_image(tmp_path / "image")
    found = documents(make(image, tmp_path / "Tiny.pkg"))
    info, shown = found["tiny.pkg/PackageInfo"], found["Distribution"]
    assert info.attrib["identifier"] == "org.example.tiny"
    assert info.attrib["install-location"] == "/opt"
    assert info.find("scripts/postinstall") is not None
    payload = info.find("payload")
    assert payload is not None
    size = (tmp_path / "Tiny.pkg").stat().st_size
    assert payload.attrib["numberOfFiles"] == "3"
    # A file has half a block more than its size, on average.
    prefix = 5 * 1024 + 2 * image.files
    assert prefix < int(payload.attrib["installKBytes"]) <= prefix + size // 1024 + 2
    assert shown.findtext("title") == "Tiny & Sons 2026.11.0"
    pages = {
        name: element.get("file")
        for name in ("welcome", "license")
        if (element := shown.find(name)) is not None
    }
    assert pages == {"welcome": "welcome.html", "license": "license.html"}
    domains = shown.find("domains")
    options = shown.find("options")
    version = shown.find("volume-check/allowed-os-versions/os-version")
    reference = shown.find("pkg-ref[@installKBytes]")
    assert domains is not None
    assert domains.attrib == {
        "enable_anywhere": "false",
        "enable_currentUserHome": "true",
        "enable_localSystem": "true",
    }
    assert options is not None
    assert options.attrib["hostArchitectures"] == "arm64"
    assert version is not None
    assert version.attrib == {"min": "11.0"}
    assert reference is not None
    assert reference.text == "#tiny.pkg"
    assert reference.attrib["installKBytes"] == payload.attrib["installKBytes"]


def test_intel_without_floor_and_without_pages(tmp_path: Path) -> None:
    image = fake_image(tmp_path / "image", platform="osx-64", floor={"__osx": "0"})
    package = make(image, tmp_path / "Tiny.pkg", license_text="", welcome_text=" \n")
    shown = documents(package)["Distribution"]
    options = shown.find("options")
    assert options is not None
    assert options.attrib["hostArchitectures"] == "x86_64"
    assert [shown.find(name) for name in ("license", "welcome", "volume-check")] == [None, None, None]
    assert not any(path.startswith("Resources") for path, _ in walk(read_xar(package.read_bytes())[0]))


def test_hostile_title_and_texts(tmp_path: Path) -> None:
    label = ReleaseLabel(distribution="tiny", version="2026.11.0", title=HOSTILE.replace("\ud800", ""))
    image = fake_image(tmp_path / "image", label=label)
    text = HOSTILE.replace("\ud800", "")
    package = make(image, tmp_path / "Tiny.pkg", license_text=text, welcome_text=text)
    shown = documents(package)["Distribution"]
    assert shown.findtext("title") == "</title>&\"'<x> $HOME `id` Ü \N{GRINNING FACE} 2026.11.0"
    _, files = read_xar(package.read_bytes())
    page = files["Resources/license.html"].decode()
    assert "&lt;/title&gt;&amp;&#34;&#39;&lt;x&gt; $HOME" in page
    assert "\x00" not in page
    assert "\x1b" not in page


@pytest.mark.parametrize(
    "changes",
    [
        {"platform": "linux-64"},
        {"platform": "win-64"},
        {"floor": {"__osx": '11" or "1'}},
        {"label": ReleaseLabel(distribution="../tiny", version="1", title="Tiny")},
        {"label": ReleaseLabel(distribution="tiny", version='1"', title="Tiny")},
    ],
)
def test_what_no_package_can_be_made_of(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        make(fake_image(tmp_path / "image", **changes), tmp_path / "Tiny.pkg")
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


@pytest.mark.parametrize(
    "identifier", ["", "tiny", "org..tiny", "org.tiny/x", "org.tiny\n", 'org.t"', "org.tïny"]
)
def test_wrong_identifiers(identifier: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot identify"):
        make(fake_image(tmp_path / "image"), tmp_path / "Tiny.pkg", identifier=identifier)


def test_four_gibibytes_are_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = fake_image(tmp_path / "image")
    os.truncate(image.payload, 1 << 32)
    for reads in ("sha256_file", "build_sh"):
        monkeypatch.setattr(build, reads, None)
    with pytest.raises(TooLargeError, match=r"hold 4\.0 GiB") as caught:
        make(image, tmp_path / "new" / "Tiny.pkg")
    assert ".sh" in (caught.value.hint or "")
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_what_only_the_script_makes_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = fake_image(tmp_path / "image")
    parts = sum(path.stat().st_size for path in (image.stage0, image.manifest, image.payload))
    monkeypatch.setattr(bom, "LARGEST", parts)
    with pytest.raises(TooLargeError):
        make(image, tmp_path / "Tiny.pkg")
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_damaged_image(tmp_path: Path) -> None:
    image = fake_image(tmp_path / "image")
    for part in (image.payload, image.manifest, image.stage0):
        whole = part.read_bytes()
        part.write_bytes(whole[:-1] + b"?")
        with pytest.raises(IntegrityError, match="differs from its hash"):
            make(image, tmp_path / "Tiny.pkg")
        part.write_bytes(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_same_bytes_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make(fake_image(tmp_path / "image"), tmp_path / "Tiny.pkg").read_bytes()
    monkeypatch.setenv("USER", "somebody")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    elsewhere = tmp_path / "elsewhere" / "deep"
    image = replace(fake_image(elsewhere / "image"), folder=elsewhere.parent / "moved")
    (elsewhere / "image").rename(image.folder)
    assert make(image, elsewhere / "Tiny.pkg").read_bytes() == first


def test_large_payloads_are_never_whole_in_memory(tmp_path: Path) -> None:
    image = fake_image(tmp_path / "image")
    size = 40 << 20
    with image.payload.open("r+b") as stream:
        stream.truncate(size)
    image = replace(image, payload_sha256=sha256_file(image.payload))
    make(image, tmp_path / "warm.pkg")
    tracemalloc.start()
    try:
        package = make(image, tmp_path / "Tiny.pkg")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert package.stat().st_size > size
    assert peak < size // 4
    _, files = read_xar(package.read_bytes())
    with gzip.open(io.BytesIO(files["tiny.pkg/Payload"])) as stream:
        assert len(stream.read()) > size
