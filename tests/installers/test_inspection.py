"""What the `.sh` says of itself without installing anything."""

import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from cuvee.channel.package_writer import PLACEHOLDER
from cuvee.runtime.added_packages import AddedPackage, allows, misfits
from cuvee.runtime.payload_manifest import PayloadManifest, PayloadPackage
from tiny_release import Release


@pytest.mark.real
def test_info_list_and_licenses(release: Release, tmp_path: Path) -> None:
    aside = {"TMPDIR": str(tmp_path)}
    info = json.loads(release.install("--info", "--json", environment=aside).stdout)
    assert info["version"] == "2026.11.0"
    assert info["manifest_sha256"] == release.image.manifest_sha256
    assert info["packages"] == len(release.lock.packages)
    assert info["longest_prefix"] == len(PLACEHOLDER)
    assert "title: Tiny & Sons\n" in release.install("--info", environment=aside).stdout
    listed = json.loads(release.install("--list", "--json", environment=aside).stdout)
    assert {row["name"]: row["sha256"] for row in listed} == {
        package.name: package.sha256 for package in release.lock.packages
    }
    licenses = release.install("--licenses", environment=aside).stdout
    assert "tools 1.0: MIT\n" in licenses
    assert "twin-a 1.0: not stated\n" in licenses
    checked = release.install("--check", environment=aside)
    assert "parts of this installer are whole" in checked.stdout
    assert json.loads(release.install("--check", "--json", environment=aside).stdout)["good"] is True
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_extract(release: Release, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "files"
    done = release.install("--extract", folder)
    assert done.exit_code == 0, done.stderr
    assert list(folder.parent.iterdir()) == [folder]
    content = (folder / "etc" / "place.conf").read_text()
    assert str(folder) not in content  # still the placeholder
    assert "_placeh" in content
    assert (folder / "lib" / "link").is_symlink()
    assert (folder / "conda-meta" / "tools-1.0-py_0.json").exists()
    assert not (folder / "conda-meta" / "cuvee" / "release.json").exists()
    assert not (folder / ".cuvee").exists()
    again = release.install("--extract", folder)
    assert again.exit_code == 1
    assert "exists already" in again.stderr


@pytest.mark.real
def test_dry_run(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "new" / "prefix"
    value = json.loads(release.install("--dry-run", "--json", "-p", prefix).stdout)
    assert (value["action"], value["prefix"]) == ("install", str(prefix))
    assert len(value["new"]) == len(release.lock.packages)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("")
    refused = release.install("--dry-run", "-p", tmp_path / "mine")
    assert refused.exit_code == 1
    assert "did not make" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]


@pytest.mark.real
def test_flags_of_constructor(release: Release, tmp_path: Path) -> None:
    done = release.install("-bkmst", "-p", tmp_path / "prefix")
    assert done.exit_code == 0, done.stderr
    joined = release.install("-bup" + str(tmp_path / "prefix"))
    assert "is installed already" in joined.stdout
    for wrong, message in (
        (("--sbim",), "There is no option '--sbim'"),
        (("--log",), "--log needs a file"),
        (("--info", "--list"), "cannot be combined"),
        (("--extract",), "needs a folder"),
        (("-bp",), "-p needs a value"),
    ):
        refused = release.install(*wrong)
        assert refused.exit_code == 2, wrong
        assert message in refused.stderr
    for option in ("-h", "--help"):
        shown = release.install(option)
        assert shown.exit_code == 0
        assert "--extract DIR" in shown.stdout
        assert all(len(line) <= 110 for line in shown.stdout.splitlines())


@pytest.mark.real
def test_the_payload_is_what_extract_gives(release: Release, tmp_path: Path) -> None:
    """Stage 0's own archive, read by another reader, has the same bytes."""
    folder = tmp_path / "files"
    assert release.install("--extract", folder).ok
    with tarfile.open(release.image.stage0) as tar:
        for member in tar.getmembers():
            if member.isfile() and not member.name.startswith(".cuvee/"):
                stream = tar.extractfile(member)
                assert stream is not None
                assert (folder / member.name).read_bytes() == stream.read()
                assert os.stat(folder / member.name).st_mode & 0o777 == member.mode  # noqa: PTH116


@pytest.mark.parametrize(
    ("constraint", "version", "expected"),
    [
        ("", "1.2", True),
        (">=1.2,<2", "1.2.0", True),
        (">=1.2,<2", "2.0", False),
        (" >=1.2, <2", "1.1", False),
        (" 1.2.*", "1.2.9", True),
        (" 1.2.*", "1.20", False),
        (" 1.2 py311_0", "1.2", True),
        ("==1.2", "1.2.0", True),
        ("!=1.2.*", "1.2.3", False),
        ("=1.2", "1.2.3", True),
        (" *", "1", True),
        ("~=1.2", "1.3", None),
        (" 1.2|1.3", "1.2", None),
        (">=1.2", "1.2rc1", None),
        (">=1.2rc1", "1.3", None),
        ("[extra]>=2", "1.0", False),
        (" (>=2)", "1.0", False),
    ],
)
def test_simple_constraints(constraint: str, version: str, expected: bool | None) -> None:
    assert allows(constraint, version) is expected


def test_misfits() -> None:
    package = PayloadPackage("num-py", "2.1", "0", "noarch", "", [], [])
    values: dict[str, Any] = dict.fromkeys(PayloadManifest._fields)
    values |= {"packages": [package], "folders": ["lib/python3.12/site-packages"]}
    manifest = PayloadManifest(**values)
    record = "lib/python3.11/site-packages/a-1.dist-info/METADATA"
    added = [
        AddedPackage("a", "1", "pip", record, ["num_py>=2.2", "b", 'gone>1; extra == "x"']),
        AddedPackage("b", "1", "conda", "conda-meta/b-1-0.json", ["__glibc >=2.17", "Num.Py 2.*", "gone"]),
    ]
    assert misfits(added, manifest) == [
        "a 1 needs num_py>=2.2, but this is num-py 2.1",
        "a 1 is in lib/python3.11/site-packages, where this Python does not look",
        "b 1 needs gone, which the release does not have",
    ]
