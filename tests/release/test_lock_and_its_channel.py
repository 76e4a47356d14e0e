"""A lock and the lists beside it name packages where other tools find them."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import rattler

from cuvee import process
from cuvee.cli.main import run
from cuvee.lock.pixi_lock import read_lock
from cuvee.release.record import Release
from cuvee.release.recorded_release import recorded_release
from needed_programs import HANGING
from tiny_distribution import Distribution

pytestmark = pytest.mark.real

PUBLISHED = "https://packages.example.org/tiny-2026.11.0/channel"


def records(lock: Path, platform: str) -> list[rattler.RepoDataRecord]:
    environment = rattler.LockFile.from_path(lock).default_environment()
    assert environment is not None
    (found,) = (item for item in environment.platforms() if item.name == platform)
    return environment.conda_repodata_records_for_platform(found) or []


def output(*argv: str | Path) -> str:
    done = process.run(process.Request(argv=tuple(map(str, argv)), timeout=HANGING))
    assert done.ok, done.stderr
    return done.stdout


def test_rattler_installs_from_the_lock(
    tiny: tuple[Distribution, Release], host_platform: str, tmp_path: Path
) -> None:
    found = records(tiny[1].folder / "lock" / "pixi.lock", host_platform)
    assert len(found) == len(tiny[1].lock.by_platform[host_platform].packages)
    prefix = tmp_path / "prefix"
    asyncio.run(
        rattler.install(found, target_prefix=prefix, cache_dir=tmp_path / "packages", show_progress=False)
    )
    code = "import attrs, tqdm; print(tqdm.__version__)"
    assert output(prefix / "bin" / "python", "-I", "-c", code) == "4.70.0\n"


def test_a_moved_release_is_neither_made_again_nor_forgets_its_interpreters(
    copied: Callable[[], Distribution], tiny: tuple[Distribution, Release], tiny_text: str
) -> None:
    distribution = copied()
    lock = distribution.dist / "tiny-2026.11.0" / "lock" / "pixi.lock"
    before = lock.read_bytes()
    assert read_lock(lock) == read_lock(tiny[1].folder / "lock" / "pixi.lock")
    session = distribution.session(distribution.root / "manifests" / "tiny" / "2026.11.0.yaml")
    asked = recorded_release(session)
    assert asked.lock.by_platform == tiny[1].lock.by_platform
    assert asked.channel.interpreters == tiny[1].channel.interpreters != ()
    distribution.cut(distribution.write(tiny_text))
    assert {"channel", "lock"} <= distribution.recorder.unchanged
    assert lock.read_bytes() == before


def test_all_documents_name_the_published_channel(
    copied: Callable[[], Distribution], tiny_text: str, host_platform: str, tmp_path: Path
) -> None:
    distribution = copied()
    stated = PUBLISHED.replace("tiny-2026.11.0", "{release}")
    released = distribution.cut(distribution.write(f"{tiny_text}channel-url: {stated}\n"))
    folder = released.folder
    assert released.lock.by_platform[host_platform].by_name["tqdm"].is_local
    urls = {record.url for record in records(folder / "lock" / "pixi.lock", host_platform)}
    assert all(url.startswith(f"{PUBLISHED}/") for url in urls)
    listed = (folder / "lock" / f"{host_platform}.explicit.txt").read_text()
    assert urls == {line.partition("#")[0] for line in listed.splitlines() if "://" in line}
    sbom = (folder / "sbom" / f"{host_platform}.cdx.json").read_text()
    assert all(url in sbom for url in urls)
    (installer,) = (item for item in released.handed_out if item.format == "sh")
    prefix = tmp_path / "prefix"
    output("sh", folder / installer.path, "-b", "-p", prefix)
    metadata = [json.loads(path.read_bytes()) for path in (prefix / "conda-meta").glob("*-*-*.json")]
    assert {record["url"] for record in metadata} == urls
    assert {record["channel"] for record in metadata} == {PUBLISHED}
    texts = [
        *(folder / "lock").iterdir(),
        *(path for path in (prefix / "conda-meta").rglob("*") if path.is_file()),
    ]
    assert not [path for path in texts if b"file://" in path.read_bytes()]
    shutil.rmtree(prefix)


def test_a_wheel_can_come_into_the_tiny_release(
    tiny: tuple[Distribution, Release], capsys: pytest.CaptureFixture[str]
) -> None:
    distribution, release = tiny
    options = [
        str(distribution.root / "manifests" / "tiny" / "2026.11.0.yaml"),
        "--dist", str(distribution.dist), "--cache", str(distribution.root / "cache"), "-q",
        "--platform", release.lock.platforms[0].platform,
    ]  # fmt: skip
    before = sorted(path.relative_to(distribution.dist) for path in distribution.dist.rglob("*"))
    capsys.readouterr()
    assert run(["inclusion", "click", *options, "--owner", "core", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    items = {item["identifier"]: item for item in found["items"]}
    assert found["source"] == "the Python index"
    (added,) = found["adds"].values()
    assert [item["name"] for item in added["packages"]] == ["click"]
    assert {name for name, item in items.items() if item["state"] == "fail"} <= {"releases", "age"}
    assert items["clobbers"]["state"] == "pass", "all archives of the release are at hand"
    assert items["tests"]["state"] == "needs a person", "wheels carry no tests"
    assert items["metadata"]["state"] == "pass"
    assert run(["inclusion", "tqmd", *options]) == 2
    assert "Did you mean tqdm?" in capsys.readouterr().err
    assert sorted(path.relative_to(distribution.dist) for path in distribution.dist.rglob("*")) == before
