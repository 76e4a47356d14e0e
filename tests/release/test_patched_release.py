"""A point release with one patched wheel: from the manifest to the installed fix, and what is said of it."""

import datetime as dt
import difflib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from cuvee import process
from cuvee.cli.main import run
from cuvee.errors import BlockedError
from cuvee.files import sha256_file
from cuvee.graph.diff.compare import compare
from cuvee.release.record import Release
from cuvee.release.release_snapshot import snapshot_of
from made_errata import PUBLISHER_TEXT
from needed_programs import HANGING
from tiny_distribution import NOW, Distribution, Recorder

pytestmark = pytest.mark.real

FILE = "tqdm/__main__.py"
MANIFEST = """\
manifest: 1
distribution: tiny
version: "2026.11.1"
based-on: "2026.11.0"
patched:
  tqdm:
    wheel: {wheel}
    sha256: {sha256}
    patches: [patches/main.patch]
    tests: [patches/test_main.py]
    fixes: [CVE-2026-12345]
    why: upstream has no release with the fix
    author: Ada
    until: 2027-05-31
"""
TEST = """\
import subprocess, sys
said = subprocess.run([sys.executable, "-m", "tqdm", "--version"], capture_output=True, check=True).stdout
print("the first line is", said.splitlines()[0])
assert said.startswith(b"the patch is here"), said
"""
ERRATUM = """\
number: tiny-2026-1
distribution: tiny
title: tqdm starts without a check
severity: high
date: 2026-11-27
summary: tqdm has a flaw.
packages:
  tqdm: {affected: "==4.70.0", fixed: "==4.70.0", fixed-build: "*_patched_*"}
affected-releases: ["2026.11.0"]
fixed-releases: ["2026.11.1"]
"""


@pytest.fixture(scope="module")
def both(
    tiny: tuple[Distribution, Release], host_platform: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Release, Release, Distribution]:
    """The tiny release, and a point release with a patched wheel."""
    root = tmp_path_factory.mktemp("patched") / "tiny"
    shutil.copytree(tiny[0].root, root, symlinks=True)
    distribution = Distribution(root, Recorder())
    wheel = next((root / "cache" / "wheels").rglob("tqdm-4.70.0-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        before = archive.read(FILE).decode().splitlines(keepends=True)
    after = ["print('the patch is here')\n", *before]
    patch = "".join(difflib.unified_diff(before, after, f"a/{FILE}", f"b/{FILE}"))
    folder = root / "manifests" / "tiny" / "patches"
    folder.mkdir()
    (folder / "main.patch").write_text(patch, encoding="utf-8")
    (folder / "test_main.py").write_text(TEST, encoding="utf-8")
    text = MANIFEST.format(wheel=wheel.name, sha256=sha256_file(wheel))
    release = distribution.cut(distribution.write(text, "2026.11.1"), host_platform)
    return Release.open(root / "dist" / "tiny-2026.11.0"), release, distribution


def installer(release: Release) -> Path:
    return next(release.folder / item.path for item in release.handed_out if item.format == "sh")


def started(*argv: str | Path) -> process.Completed:
    done = process.run(process.Request(argv=tuple(map(str, argv)), timeout=HANGING))
    assert done.ok, done.stderr
    return done


def test_record_comparison_and_page_name_the_patch(
    both: tuple[Release, Release, Distribution], host_platform: str
) -> None:
    base, release, _ = both
    (change,) = [item for item in release.changes or () if host_platform in item.platforms]
    assert (change.package, change.before, change.after) == ("tqdm", "4.70.0", "4.70.0")
    assert change.patched == "patched: fixes CVE-2026-12345"
    (item,) = release.manifest.patched
    assert (item.name, item.until) == ("tqdm", dt.date(2027, 5, 31))
    package = release.lock.by_platform[host_platform].by_name["tqdm"]
    assert package.build_number == 10_000
    sides = [snapshot_of(one, today=NOW.date()) for one in (base, release)]
    (row,) = compare(*sides, platform=host_platform).changes
    assert row.details[0] == "patched: fixes CVE-2026-12345"
    page = (release.folder / "report" / "packages" / "tqdm.html").read_text(encoding="utf-8")
    assert "Patched<dd>fixes CVE-2026-12345" in page
    assert release.checked is not None
    (outcome,) = [one for one in release.checked.outcomes if one.identifier == "patched"]
    assert not outcome.findings


def test_the_installer_upgrades_the_release_before(
    both: tuple[Release, Release, Distribution], tmp_path: Path
) -> None:
    base, release, _ = both
    prefix = tmp_path / "tiny prefix"
    started("sh", installer(base), "-b", "-p", prefix)
    done = started("sh", installer(release), "-b", "-u", "-p", prefix)
    assert "2026.11.0 was upgraded to 2026.11.1" in done.stdout
    ran = started(prefix / "bin" / "python", "-m", "tqdm", "--version")
    assert ran.stdout.splitlines()[0] == "the patch is here"


def test_an_erratum_is_true_of_the_patched_build(
    both: tuple[Release, Release, Distribution], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    errata = both[2].root / "errata"
    errata.mkdir()
    (errata / "publisher.yaml").write_text(PUBLISHER_TEXT, encoding="utf-8")
    (errata / "tiny-2026-1.yaml").write_text(ERRATUM, encoding="utf-8")
    site = tmp_path / "site"
    assert run(["errata", str(errata), "--dist", str(both[2].dist), "--output", str(site)]) == 0, (
        capsys.readouterr().out
    )
    assert "tiny-2026-1" in (site / "index.html").read_text(encoding="utf-8")
    assert "tiny-2026-1" in (site / "errata.atom").read_text(encoding="utf-8")
    assert "2026.11.0" in json.dumps(json.loads((site / "errata.json").read_text(encoding="utf-8")))


def test_a_patched_wheel_is_tested_by_itself_before_it_enters_the_channel(
    both: tuple[Release, Release, Distribution], host_platform: str
) -> None:
    base, release, distribution = both
    assert not base.channel.patched
    (tested,) = release.channel.patched
    package = release.lock.by_platform[host_platform].by_name["tqdm"]
    assert (tested.package, tested.not_tested) == (f"{package.stem}@noarch", "")
    log = (release.folder / "builds" / f"{tested.package}.log").read_text(encoding="utf-8")
    assert "the first line is b'the patch is here'" in log
    folder = distribution.root / "manifests" / "tiny"
    text = (folder / "2026.11.1.yaml").read_text(encoding="utf-8").replace('"2026.11.1"', '"2026.11.3"')
    (folder / "patches" / "test_other.py").write_text("raise SystemExit('it is not fixed')", encoding="utf-8")
    manifest = distribution.write(text.replace("test_main.py", "test_other.py"), "2026.11.3")
    with pytest.raises(BlockedError, match="The test failed: tqdm with the patches of") as caught:
        distribution.cut(manifest, host_platform)
    assert "it is not fixed" in caught.value.message
    failed = distribution.dist / "tiny-2026.11.3"
    assert not list(failed.glob("channel/*/*.conda"))
    (log_file,) = failed.glob("builds/tqdm-*.log")
    assert str(log_file) in (caught.value.hint or "")


def test_a_patch_that_does_not_apply_ends_the_run_with_its_hunk(
    both: tuple[Release, Release, Distribution], host_platform: str
) -> None:
    distribution = both[2]
    folder = distribution.root / "manifests" / "tiny"
    text = (folder / "2026.11.1.yaml").read_text(encoding="utf-8")
    patch = (folder / "patches" / "main.patch").read_text(encoding="utf-8")
    (folder / "patches" / "other.patch").write_text(patch.replace("\n from", "\n FROM"), encoding="utf-8")
    text = text.replace("main.patch", "other.patch").replace('"2026.11.1"', '"2026.11.2"')
    with pytest.raises(BlockedError) as caught:
        distribution.cut(distribution.write(text, "2026.11.2"), host_platform)
    assert f"hunk 1 of {FILE} (line 3 of the patch) does not apply" in caught.value.message
    assert not list((distribution.dist / "tiny-2026.11.2").glob("channel/*/*.conda"))
