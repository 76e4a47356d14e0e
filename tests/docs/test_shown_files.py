"""The manifests and other files that the pages show are read by the code that reads them for users."""

import datetime as dt
import re
from collections.abc import Sized
from pathlib import Path

from cuvee.errata.errata_folder import PUBLISHER_FILE, read_erratum, read_publisher
from cuvee.integration.accepted_tests import read_known_failures, read_quarantine
from cuvee.integration.suite_files import read_command_rules, read_suite
from cuvee.manifest import load_manifest
from docs_text import Block, blocks, inline_code, links

TODAY = dt.date(2026, 11, 22)

BASE = """\
manifest: 1
distribution: lab
version: "2026.10.0"
title: Lab Tools
platforms: {linux-64: {}, win-64: {}, linux-aarch64: {}}
packages: {python: "*", soupsieve: "*"}
owners: {core: {contact: core@example.org}}
"""

HEAD = 'manifest: 1\ndistribution: lab\nversion: "2026.10.1"\nbased-on: "2026.10.0"\n'


def yaml_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "yaml"]


def test_whole_manifests_load(page: Path, tmp_path: Path) -> None:
    if page.name == "manifest.md":
        return  # its examples stand for themselves; tests/manifest holds its tables to the schema
    shown = [block.text for block in yaml_blocks(page) if block.text.startswith("manifest:")]
    folders = []
    for text in shown:
        facts = dict(line.split(": ", 1) for line in text.splitlines() if line[:1].isalpha() and ": " in line)
        version, name = facts["version"].strip('"'), facts["distribution"]
        path = tmp_path / name / f"{version}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        folders.append(path)
    for path in folders:
        assert load_manifest(path, today=TODAY).title


def test_parts_of_manifests_load(page: Path, tmp_path: Path) -> None:
    for block in yaml_blocks(page):
        if block.text.startswith(("manifest:", "# integration_tests/", "# errata/", "# playbook")):
            continue
        folder = tmp_path / str(block.line) / "lab"
        folder.mkdir(parents=True)
        (folder / "recipes" / "fast-histogram").mkdir(parents=True)
        (folder / "patches").mkdir()
        for name in re.findall(r"patches/([\w.-]+)", block.text):
            (folder / "patches" / name).write_text("", encoding="utf-8")
        (folder / "2026.10.0.yaml").write_text(BASE, encoding="utf-8")
        path = folder / "2026.10.1.yaml"
        path.write_text(HEAD + block.text, encoding="utf-8")
        assert load_manifest(path, today=TODAY).base is not None


def test_files_of_suites_are_read(page: Path, tmp_path: Path) -> None:
    for block in yaml_blocks(page):
        named = re.match(r"# integration_tests/(\S+\.yaml)\n", block.text)
        if named is None:
            continue
        path = tmp_path / named[1]
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.text, encoding="utf-8")
        assert _entries(path) is not None


def test_errata_are_read(page: Path, tmp_path: Path) -> None:
    for block in yaml_blocks(page):
        if named := re.match(r"# errata/(\S+\.yaml)\n", block.text):
            path = tmp_path / named[1]
            path.write_text(block.text, encoding="utf-8")
            assert (read_publisher if path.name == PUBLISHER_FILE else read_erratum)(path)


def _entries(path: Path) -> Sized:
    if path.name == "known-failures.yaml":
        return read_known_failures(path)
    if path.name == "quarantine.yaml":
        return read_quarantine(path)
    if path.name == "smoke.yaml":
        return read_command_rules(path)
    if path.name == "suite.yaml":
        return read_suite(path.parents[1], path.parent.name).targets
    return read_suite(path.parent, path.stem).targets


def test_shown_python_compiles(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            compile(block.text, f"{page.name}:{block.line}", "exec")


def test_links_lead_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link or link.startswith(("#", "mailto:")):
            continue
        assert (page.parent / link.partition("#")[0]).exists(), f"{page}: {link}"


def _exists(root: Path, name: str) -> bool:
    if name.startswith("cuvee."):
        parts = name.split(".")
        modules = [root.joinpath("src", *parts[:length]) for length in range(len(parts), len(parts) - 2, -1)]
        return any(path.is_dir() or path.with_suffix(".py").is_file() for path in modules)
    return (root / name).exists() or (root / "src" / "cuvee" / name).exists()


def _is_code(name: str, rooms: set[str]) -> bool:
    if re.search(r"[^\w./-]", name):
        return False
    in_room = name.split("/", maxsplit=1)[0] in rooms and name.endswith((".py", "/"))
    return in_room or name.startswith(("cuvee.", "src/", "tests/", "benchmarks/", "script/"))


def test_code_that_is_named_exists(root: Path, page: Path) -> None:
    rooms = {path.name for path in (root / "src" / "cuvee").iterdir() if path.is_dir()}
    if page.name == "release-folder.md":
        rooms -= {"report"}  # there it is a folder of the release
    if page.name == "CONTRIBUTING.md":
        rooms -= {"build"}  # screenshots are below a folder of that name
    named = {name for name in inline_code(page) if _is_code(name, rooms)}
    assert not {name for name in named if not _exists(root, name)}
