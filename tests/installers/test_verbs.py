"""What `<prefix>/bin/<distribution>-admin` does on an installed release."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tiny_release import Release

pytestmark = pytest.mark.real


@pytest.fixture
def prefix(release: Release, tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "with space" / "prefix"
    assert release.install("-b", "-p", place).ok
    yield place
    shutil.rmtree(place, ignore_errors=True)


def admin(prefix: Path, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [prefix / "bin" / "tiny-admin", *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )


def verified(prefix: Path, code: int) -> dict[str, Any]:
    done = admin(prefix, "verify", "--json")
    assert done.stderr == ""
    assert done.returncode == code, done.stdout
    value: dict[str, Any] = json.loads(done.stdout)
    assert value["good"] == (code == 0)
    return value


def library(prefix: Path) -> Path:
    (found,) = (prefix / "lib").glob("python3.*")
    return found


def test_a_fresh_prefix_is_good_and_names_its_packages(release: Release, prefix: Path) -> None:
    value = verified(prefix, 0)
    assert value["files"] > 900
    assert not any(value[key] for key in ("changed", "missing", "modes", "extra", "added"))
    text = admin(prefix, "verify")
    assert text.stdout.startswith("Tiny & Sons 2026.11.0 is as it was released")
    listed = json.loads(admin(prefix, "list", "--json").stdout)
    assert {(row["name"], row["version"], row["sha256"]) for row in listed} == {
        (package.name, package.version, package.sha256) for package in release.lock.packages
    }
    assert "tools 1.0 py_0" in admin(prefix, "list").stdout.splitlines()
    info = json.loads(admin(prefix, "info", "--json").stdout)
    assert (info["distribution"], info["version"]) == ("tiny", "2026.11.0")
    assert info["prefix"] == str(prefix)
    assert info["manifest_sha256"] == release.image.manifest_sha256
    assert info["packages"] == len(release.lock.packages)
    assert "version: 2026.11.0" in admin(prefix, "info").stdout.splitlines()


def test_each_kind_of_damage_is_found(prefix: Path) -> None:
    module = library(prefix) / "site-packages" / "tools" / "cli.py"
    module.write_bytes(module.read_bytes().replace(b"main", b"niam"))  # the same size
    os.utime(module, (1577836800, 1577836800))
    noise = prefix / "lib" / "noise"
    with noise.open("r+b") as stream:
        stream.seek(17 << 20)  # in the second of its pieces
        stream.write(b"X")
    compiled = library(prefix) / "__pycache__"
    pyc = next(path for path in compiled.iterdir() if path.name.startswith("textwrap."))
    data = bytearray(pyc.read_bytes())
    data[-1] ^= 1
    pyc.write_bytes(data)
    (prefix / "bin" / "tool").write_text("#!/bin/sh\n")
    (prefix / "share" / "tools" / "readme").unlink()
    (prefix / "share" / "twin" / "both").chmod(0o666)
    link = prefix / "lib" / "link"
    link.unlink()
    link.symlink_to("../etc/other.conf")
    (library(prefix) / "site-packages" / "evil.pth").write_text("import os\n")
    (prefix / "conda-meta" / "tools-1.0-py_0.json").write_text("{}")
    runtime = prefix / "conda-meta" / "cuvee" / "runtime" / "prefix_replacement.py"
    runtime.write_text(runtime.read_text() + "\n")

    value = verified(prefix, 1)
    tail = [path.rpartition("/")[2] for path in value["changed"]]
    assert sorted(tail) == sorted(
        [pyc.name, "cli.py", "noise", "tool", "link", "tools-1.0-py_0.json", "prefix_replacement.py"]
    )
    assert value["missing"] == ["share/tools/readme"]
    assert value["modes"] == ["share/twin/both"]
    assert [path.rpartition("/")[2] for path in value["extra"]] == ["evil.pth"]
    text = admin(prefix, "verify")
    assert text.returncode == 1
    assert "missing: share/tools/readme" in text.stdout
    assert "differs from what was released" in text.stdout


def test_what_is_no_damage(prefix: Path) -> None:
    """Byte code that Python writes, conda's history, and packages that were added."""
    site = library(prefix) / "site-packages"
    source = site / "tools" / "cli.py"
    os.utime(source, (1_700_000_000, 1_700_000_000))
    # No PYTHONDONTWRITEBYTECODE: Python is to write.
    argv = (str(prefix / "bin" / "python"), "-c", "import tools.cli, this")
    subprocess.run(argv, check=True, capture_output=True, env={})
    (prefix / "conda-meta" / "history").write_text("# something else\n")
    (prefix / "conda-meta" / "pinned").write_text("python 3.*\n")
    (site / "extra").mkdir()
    (site / "extra" / "__init__.py").write_text("")
    (prefix / "bin" / "extra").write_text("")
    info = site / "extra-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 2.0\n\nText: no\n")
    (info / "RECORD").write_text(
        "extra/__init__.py,sha256=x,0\nextra-2.0.dist-info/METADATA,,\n"
        "extra-2.0.dist-info/RECORD,,\n../../../bin/extra,,\n"
    )
    (prefix / "share" / "mine").write_text("")
    record = {"name": "mine", "version": "3", "depends": [], "files": ["share/mine"]}
    (prefix / "conda-meta" / "mine-3-0.json").write_text(json.dumps(record))
    (prefix / "envs" / "mine").mkdir(parents=True)
    (prefix / "envs" / "mine" / "file").write_text("")
    value = verified(prefix, 0)
    (again,) = site.glob("tools/__pycache__/cli.*.pyc")
    assert value["byte_code"]["rewritten"] == [again.relative_to(prefix).as_posix()]
    assert [(one["name"], one["version"], one["by"]) for one in value["added"]] == [
        ("extra", "2.0", "pip"),
        ("mine", "3", "conda"),
    ]
    listed = json.loads(admin(prefix, "list", "--json").stdout)
    assert {row["name"]: row["added"] for row in listed if row["added"]} == {"extra": "pip", "mine": "conda"}


@pytest.mark.parametrize("name", ["this", "json/decoder"])
def test_damaged_byte_code_is_damage(name: str, prefix: Path) -> None:
    """Its header states the time of the source, which the packages of a platform have of their own."""
    (compiled,) = library(prefix).joinpath(name).parent.glob(f"__pycache__/{Path(name).name}.*.pyc")
    compiled.write_bytes(compiled.read_bytes()[:-1] + b"\xff")
    value = verified(prefix, 1)
    assert value["changed"] == [compiled.relative_to(prefix).as_posix()]
    assert value["byte_code"]["rewritten"] == []


def test_environments_in_the_prefix_are_not_the_releases(prefix: Path) -> None:
    """What conda makes in ``envs`` and ``pkgs``, and virtual environments, have packages of their own."""
    before = json.loads(admin(prefix, "list", "--json").stdout)
    record = json.dumps({"name": "other", "version": "3", "depends": ["tools <1"], "files": ["bin/python"]})
    made: list[str] = []
    for folder, mark in (
        ("envs/mine", "conda-meta/other-3-0.json"),
        ("pkgs/other-3-0", "info/repodata_record.json"),
        ("venv", "pyvenv.cfg"),
        ("nested/conda", "conda-meta/history"),
    ):
        site = f"{folder}/lib/python3.11/site-packages"
        files = {
            f"{folder}/{mark}": record,
            f"{site}/other-3.dist-info/METADATA": "Name: other\nVersion: 3\nRequires-Dist: tools<1\n\n",
            f"{site}/other-3.dist-info/RECORD": "other.py,,\nother-3.dist-info/METADATA,,\n",
            f"{site}/other.py": "",
            f"{site}/__pycache__/compiled.cpython-311.pyc": "without a source",
        }
        for path, text in files.items():
            (prefix / path).parent.mkdir(parents=True, exist_ok=True)
            (prefix / path).write_text(text)
        made += files
    value = verified(prefix, 1)
    assert value["added"] == []
    assert value["byte_code"]["compiled"] == []
    assert value["extra"] == sorted(path for path in made if not path.startswith(("envs/", "pkgs/")))
    assert json.loads(admin(prefix, "list", "--json").stdout) == before
    assert json.loads(admin(prefix, "uninstall", "--json").stdout)["left"] == sorted(made)
    assert all((prefix / path).is_file() for path in made)


def test_a_broken_list_of_files_is_told(prefix: Path) -> None:
    path = prefix / "conda-meta" / "cuvee" / "manifest.json.zst"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    done = admin(prefix, "verify")
    assert done.returncode == 5
    assert "has lost the list of its files" in done.stderr
    assert "Traceback" not in done.stderr


def test_uninstall_removes_all(prefix: Path) -> None:
    would = json.loads(admin(prefix, "uninstall", "--dry-run", "--json").stdout)
    assert (would["removed"], would["left"]) == (False, [])
    assert (prefix / "bin" / "python").exists()
    done = admin(prefix, "uninstall", cwd=prefix / "bin")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Tiny & Sons 2026.11.0 was removed from {prefix}\n"
    assert list(prefix.parent.iterdir()) == []


def test_uninstall_leaves_what_is_the_users(prefix: Path) -> None:
    subprocess.run([prefix / "bin" / "python", "-c", "import this"], check=True, capture_output=True)
    conf = prefix / "etc" / "place.conf"
    conf.write_text("mine")
    (prefix / "notes").mkdir()
    (prefix / "notes" / "thesis.tex").write_text("mine")
    (prefix / "cuvee-saved" / "2026.10.0").mkdir(parents=True)
    (prefix / "cuvee-saved" / "2026.10.0" / "mine").write_text("mine")
    mine = ["cuvee-saved/2026.10.0/mine", "etc/place.conf", "notes/thesis.tex"]
    would = admin(prefix, "uninstall", "--dry-run")
    assert "would be removed" in would.stdout
    assert conf.exists()
    done = admin(prefix, "uninstall", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["left"] == mine
    left = sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file())
    assert left == mine
    assert conf.read_text() == "mine"


def test_help_and_wrong_verbs(prefix: Path) -> None:
    shown = admin(prefix, "help")
    assert shown.returncode == 0
    assert shown.stdout.startswith("usage: tiny-admin VERB")
    for wrong in (("repiar",), ("verify", "--jsno"), ("list", "x")):
        refused = admin(prefix, *wrong)
        assert refused.returncode == 2
        assert "usage: tiny-admin" in refused.stderr
