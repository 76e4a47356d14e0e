"""What is in `reports/`: small files, which say nothing of the machine that made them."""

import re

from python_sources import ROOT

REPORTS = ROOT / "reports"
FILES = sorted(path for path in REPORTS.rglob("*") if path.is_file())
HOSTS = {"learn.microsoft.com", "www.w3.org", "github.com", "example.org"}
"""Those of sources that findings name, of the format of pictures, of what patches fix, and of our errata."""

_PATH = re.compile(r"(?<![\w.$])/(?:tmp|root|home|work|Users)/|[A-Z]:\\Users", re.ASCII)
_HOST = re.compile(r"https?://([^/\s\"'<>)]+)")
_LINK = re.compile(r"\]\(([^)#]+)")


def test_they_are_small_and_of_releases_that_have_a_manifest() -> None:
    assert sum(path.stat().st_size for path in FILES) < 3_000_000
    folders = {path.name for path in REPORTS.iterdir() if path.is_dir()}
    assert folders
    for name in folders:
        distribution, _, version = name.rpartition("-")
        assert (ROOT / "manifests" / distribution / f"{version}.yaml").is_file()
        assert {"summary.md", "badge.svg", "packages.csv", "outcomes.csv"} <= {
            path.name for path in (REPORTS / name).iterdir()
        }


def test_they_say_nothing_of_the_machine_that_made_them() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert not _PATH.findall(text), path
        assert set(_HOST.findall(text)) <= HOSTS, path


def test_their_links_lead_somewhere() -> None:
    for path in FILES:
        for link in _LINK.findall(path.read_text(encoding="utf-8")) if path.suffix == ".md" else ():
            assert (path.parent / link).exists(), f"{path}: {link}"


def test_the_readme_has_all_of_them() -> None:
    text = (REPORTS / "README.md").read_text(encoding="utf-8")
    for folder in REPORTS.iterdir():
        assert not folder.is_dir() or f"({folder.name}/summary.md)" in text, folder.name
        assert not folder.is_dir() or folder.name.rpartition("-")[2] in text.partition("```")[2], folder.name
