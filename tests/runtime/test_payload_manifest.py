"""The runtime believes nothing in a manifest before it has been checked."""

import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from cuvee.files import sha256_bytes
from cuvee.image.settings import InstallerSettings
from cuvee.runtime.failure import DAMAGED, InstallError
from cuvee.runtime.image_signature import check
from cuvee.runtime.payload_manifest import load
from tiny_release import settings_json


def manifest(**changes: Any) -> dict[str, Any]:
    value: dict[str, Any] = {
        "format": 2,
        "distribution": "tiny",
        "version": "1",
        "title": "Tiny",
        "platform": "linux-64",
        "interpreter": "bin/python3.11",
        "raw_size": 1,
        "source_time": 0,
        "prefix_limit": None,
        "requested": [],
        "folders": ["bin", "conda-meta"],
        "stage0": [],
        "stage0_sha256": "",
        "key": None,
        "settings": settings_json(InstallerSettings()),
        "packages": [],
        "extras": [],
        "records": [],
    }
    return value | changes


def package(path: str = "bin/tool", links: list[list[str]] | None = None, size: int = 1) -> dict[str, Any]:
    frame = {"offset": 0, "size": 1, "raw": 1, "sha256": "", "files": [[path, 0o644, 0, size, "plain", ""]]}
    return {
        "name": "a",
        "version": "1",
        "build": "0",
        "subdir": "noarch",
        "sha256": "",
        "frames": [frame],
        "links": links or [],
    }


def read(value: dict[str, Any]) -> Any:
    text = json.dumps(value).encode()
    data = zstandard.ZstdCompressor().compress(text)
    return load(data, len(text), sha256_bytes(data))


def test_a_good_one_is_read() -> None:
    found = read(manifest(packages=[package(links=[["bin/link", "../bin/tool"]])]))
    assert [file.path for frame in found.frames() for file in frame.files] == ["bin/tool"]
    assert found.packages[0].stem == "a-1-0"
    assert found.compiled() == {}


@pytest.mark.parametrize(
    "path",
    [
        "../evil",
        "/etc/passwd",
        "bin/../../evil",
        "bin/..",
        "bin//x",
        "lib/unknown",
        "",
        "bin/a\\b",
        "C:x",
        "bin/a\nb",
    ],
)
def test_paths_out_of_the_prefix(path: str) -> None:
    with pytest.raises(InstallError, match="outside the prefix") as caught:
        read(manifest(packages=[package(path)]))
    assert caught.value.code == DAMAGED
    with pytest.raises(InstallError, match="outside the prefix"):
        read(manifest(packages=[{**package(), "compiled": [[path, 0o644, 1, ""]]}]))
    with pytest.raises(InstallError, match="outside the prefix"):
        read(manifest(stage0=[[path, 0o644, 1, "", "plain", None]]))


@pytest.mark.parametrize("folder", ["..", "../x", "/tmp", "bin/./x", "a:b"])  # noqa: S108 - refused
def test_folders_out_of_the_prefix(folder: str) -> None:
    with pytest.raises(InstallError, match="folder outside the prefix"):
        read(manifest(folders=["bin", folder]))


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "..//../x", "../..", ""])
def test_links_out_of_the_prefix(target: str) -> None:
    with pytest.raises(InstallError, match="out of the prefix"):
        read(manifest(packages=[package(links=[["bin/link", target]])]))


def test_another_format_another_hash_another_size() -> None:
    with pytest.raises(InstallError, match="format 3"):
        read(manifest(format=3))
    with pytest.raises(InstallError, match="damaged"):
        load(b"x", 1, "0" * 64)
    with pytest.raises(InstallError, match="damaged"):
        read(manifest(packages=[package(size=2)]))
    text = json.dumps(manifest()).encode()
    data = zstandard.ZstdCompressor().compress(text)
    with pytest.raises(InstallError, match=r"size|decompress"):
        load(data, len(text) - 1, sha256_bytes(data))


@pytest.mark.parametrize("key", [[], ["zz", 0], ["ab" * 32, -9999999], ["ab" * 32, None], [7, 0], ["ab", 0]])
def test_keys_that_are_none(key: list[Any], tmp_path: Path) -> None:
    installer = tmp_path / "installer"
    installer.write_bytes(bytes(200))
    found = read(manifest(key=key))
    with pytest.raises(InstallError, match="signature is damaged") as caught:
        check(found, "0" * 64, str(installer), 100)
    assert caught.value.code == DAMAGED
