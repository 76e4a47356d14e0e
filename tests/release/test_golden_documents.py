"""What a release writes for others keeps its form: locks, findings, certificate and record, byte for byte.

After a change on purpose, run this with ``CUVEE_GOLDEN=write`` in the environment, and read the difference.
A change of ``release.json`` that an older record does not fit needs a new version of the document.
"""

import datetime as dt
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

import tiny_index
from cuvee.codec import encode_object
from cuvee.files import canonical_json
from cuvee.manifest import load_manifest, manifest_export
from cuvee.progress import SILENT
from cuvee.release.pipeline import check_release
from cuvee.release.record import CheckResult, LockResult, Release
from cuvee.release.session import Options, Session

Stage = TypeVar("Stage", LockResult, CheckResult)
GOLDEN = Path(__file__).parent / "golden"
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
RECORDS = (
    "python 3.11: __glibc >=2.17",
    "app 2.0: python; base >=1,<2 ! other <3",
    "app 1.0: python",
    "base 1.4: python >=3.10",
    "base 2.0: python",
)
REQUESTED = """\
python: "3.11"
app: {version: ">=1,<3", owner: core, groups: [core]}
"""
MORE = """\
support: {track: stable, until: 2027-11-30}
owners: {core: {contact: core@example.org}}
policy: {licenses: {deny: [AGPL-3.0-only]}}
waivers:
  - {check: unknown-licenses, package: base, reason: ours, author: ada, expires: 2027-03-01}
"""


@pytest.fixture
def release(tmp_path: Path) -> Release:
    tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, RECORDS))
    path = tiny_index.write_manifest(tmp_path / "manifests", tmp_path / "channel", REQUESTED, more=MORE)
    options = Options(dist=tmp_path / "dist", cache=tmp_path / "cache", now=NOW)
    return check_release(Session(load_manifest(path, today=NOW.date()), options, SILENT))


def portable(text: str, root: Path) -> str:
    """A document without what differs from run to run: folders, hashes of inputs, and times."""
    text = text.replace(str(root), "/golden")
    text = re.sub(r'("inputs": )"[0-9a-f]{64}"', r'\1"…"', text)
    return re.sub(r'("seconds": )[0-9.]+', r"\g<1>0.0", text)


def without_files(release: Release) -> Release:
    """The record without size and hash of files that name this run's folder."""

    def plain(result: Stage) -> Stage:
        return replace(result, artefacts=tuple(replace(item, size=0, sha256="") for item in result.artefacts))

    assert release.checked is not None
    return replace(release, locked=plain(release.locked), checked=plain(release.checked))


def documents(release: Release, root: Path) -> dict[str, str]:
    folder = release.folder
    manifest = load_manifest(root / "manifests" / "tiny" / "2026.11.0.yaml", today=NOW.date())
    record = without_files(replace(release, tools={}))
    certificate = (folder / "checks" / "certificate.json").read_text(encoding="utf-8")
    return {
        "manifest.json": canonical_json(manifest_export.as_json(manifest)).decode(),
        "pixi.lock": (folder / "lock" / "pixi.lock").read_text(encoding="utf-8"),
        "linux-64.explicit.txt": (folder / "lock" / "linux-64.explicit.txt").read_text(encoding="utf-8"),
        "findings.json": (folder / "checks" / "findings.json").read_text(encoding="utf-8"),
        # The hashes of its inputs are of files that name this run's folder.
        "certificate.json": re.sub(r"[0-9a-f]{64}(?=\",?\n)", "…", certificate),
        "release.json": canonical_json({"release": 1} | encode_object(record)).decode(),
    }


def test_documents_are_those_that_are_kept(release: Release, tmp_path: Path) -> None:
    found = {name: portable(text, tmp_path) for name, text in documents(release, tmp_path).items()}
    if os.environ.get("CUVEE_GOLDEN") == "write":
        for name, text in found.items():
            (GOLDEN / name).write_text(text, encoding="utf-8")
    kept = {path.name: path.read_text(encoding="utf-8") for path in GOLDEN.iterdir()}
    assert found.keys() == kept.keys()
    for name, text in found.items():
        assert text == kept[name], name


def test_a_record_of_this_version_is_read() -> None:
    """A later version of cuvee must read the record that is kept here."""
    opened = Release.open(GOLDEN)
    assert (opened.name, opened.manifest.packages[0].owner) == ("tiny-2026.11.0", "core")
    assert [package.name for package in opened.lock.by_platform["linux-64"].packages] == [
        "app",
        "base",
        "python",
    ]
