"""Whatever our installer makes, rattler would have made of the same packages at the same place."""

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tiny_release import RattlerPrefixes, Release

pytestmark = pytest.mark.real

# Entry points that everybody in the group may rewrite are rattler's choice, not ours.
ENTRY_POINT_MODES = {0o775: 0o755}


def tree(prefix: Path) -> dict[str, tuple[str, int, bytes]]:
    """Path to type, mode and content of all that packages put there; byte code is ours alone."""
    found: dict[str, tuple[str, int, bytes]] = {}
    for folder, folders, files in os.walk(prefix):
        relative = os.path.relpath(folder, prefix)
        if relative.partition("/")[0] == "conda-meta":
            continue
        for name in [*files, *(name for name in folders if (Path(folder) / name).is_symlink())]:
            path = Path(folder) / name
            if name in {"CACHEDIR.TAG", "tiny-admin"} or "__pycache__" in path.parts:
                continue
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                found[str(path.relative_to(prefix))] = ("link", 0, os.fsencode(path.readlink()))
            else:
                bits = stat.S_IMODE(mode)
                found[str(path.relative_to(prefix))] = (
                    "file",
                    ENTRY_POINT_MODES.get(bits, bits),
                    path.read_bytes(),
                )
    return found


def records(prefix: Path) -> dict[str, Any]:
    return {path.name: json.loads(path.read_bytes()) for path in (prefix / "conda-meta").glob("*.json")}


@pytest.mark.parametrize(
    "name",
    ["plain", "with spaces and ünïcödé", "long-" + "x" * 120],
    ids=["plain", "spaces", "long"],
)
def test_prefix_equals_rattlers(name: str, release: Release, linked: RattlerPrefixes, tmp_path: Path) -> None:
    prefix = tmp_path / name
    theirs = linked.at(prefix)
    assert release.install("-b", "-p", prefix).ok

    assert tree(prefix) == tree(theirs)
    compare_records(records(prefix), records(theirs))
    for command in ("tool", "tool-x", "place"):
        done = subprocess.run([prefix / "bin" / command, "x y"], check=True, capture_output=True, text=True)
        assert done.stdout.startswith(str(prefix)), command
        assert done.stdout.endswith("x y\n"), command


def compare_records(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert set(ours) == set(theirs)
    for name, record in ours.items():
        other = theirs[name]
        # Where it came from and how it was linked differ on purpose; byte code is ours alone.
        for key in ("url", "channel", "link", "requested_specs", "requested_spec"):
            record.pop(key, None)
            other.pop(key, None)
        del other["extracted_package_dir"]
        record.pop("timestamp", None)  # py-rattler takes none for a record that it is given
        # As conda, and unlike rattler, we state it for files that are not changed, too.
        for line in record["paths_data"]["paths"]:
            if "prefix_placeholder" not in line and line.get("sha256_in_prefix") == line.get("sha256"):
                line.pop("sha256_in_prefix", None)
        for value in (record, other):
            value["files"] = sorted(path for path in value["files"] if not path.endswith(".pyc"))
            value["paths_data"]["paths"] = sorted(
                (line for line in value["paths_data"]["paths"] if line["path_type"] != "pyc_file"),
                key=lambda line: line["_path"],
            )
        assert record == other, name


def test_conda_tools_read_the_prefix(release: Release, tmp_path: Path) -> None:
    import rattler

    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    found = {}
    for path in (prefix / "conda-meta").glob("*-*.json"):
        record = rattler.PrefixRecord.from_path(path)
        found[record.name.normalized] = record
    assert set(found) == {package.name for package in release.lock.packages}
    assert [str(spec) for spec in found["tools"].requested_specs] == ["tools >=1"]
    assert str(found["tools"].url) == "file:///tiny-2026.11.0/channel/noarch/tools-1.0-py_0.conda"
    for record in found.values():
        for path in record.files:
            assert os.path.lexists(prefix / path), path
    history = (prefix / "conda-meta" / "history").read_text()
    assert "+noarch::tools-1.0-py_0" in history
    assert '# update specs: ["python", "tools >=1"]' in history


def test_nothing_is_compiled_again(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    before = {path: path.stat().st_mtime_ns for path in prefix.rglob("*.pyc")}
    done = subprocess.run(
        [prefix / "bin" / "python", "-I", "-v", "-c", "import tools.cli, json, zstandard"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert f"matches {prefix}" in done.stderr
    assert "# wrote" not in done.stderr
    assert "# bytecode is stale" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in prefix.rglob("*.pyc")} == before
    assert not (prefix / "bin").joinpath("__pycache__").exists()
