"""Problems of the files beside a manifest are shown before a release does any work."""

import datetime as dt
from pathlib import Path

import pytest

from cuvee.errors import DocumentError
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release.cutting import cut
from cuvee.release.session import Options, Session

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
MANIFEST = """\
manifest: 1
distribution: tiny
version: "2026.11.0"
title: Tiny
platforms: {linux-64: {}}
packages: {python: "*"}
channels: [https://nowhere.example.org/channel]
suites: [smoke]
installers: {branding: installers/tiny}
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("installers/tiny/installer.yaml", "post_install: gone.sh"),
        ("installers/tiny/branding.yaml", "publishr: us"),
        ("integration_tests/smoke.yaml", "- {comand: x}"),
        ("integration_tests/known-failures.yaml", "- {suite: smoke}"),
    ],
)
def test_a_bad_file_stops_a_release_at_its_start(name: str, text: str, tmp_path: Path) -> None:
    for file, content in (("tiny/2026.11.0.yaml", MANIFEST), (name, text)):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(content, encoding="utf-8")
    (tmp_path / "installers/tiny").mkdir(parents=True, exist_ok=True)
    manifest = load_manifest(tmp_path / "tiny/2026.11.0.yaml", today=NOW.date())
    options = Options(dist=tmp_path / "dist", cache=tmp_path / "cache", now=NOW)
    with pytest.raises(DocumentError, match=Path(name).name):
        cut(Session(manifest, options, SILENT))
    assert not (tmp_path / "dist").exists()
