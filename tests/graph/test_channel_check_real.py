"""The channel check on real channels, beside rattler and dose-debcheck, and on several cores."""

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from channel_as_debian import PROGRAM, broken, write_packages
from channel_oracle import Oracle, entry, write_repodata
from cuvee.cli.main import run
from cuvee.conda.package_record import Record
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.executors.local_processes import processes
from cuvee.graph.channel_check import pool_check
from cuvee.graph.channel_check.model import CauseKind
from cuvee.graph.channel_check.pool_check import check_pool
from cuvee.graph.channel_check.repodata_sources import find_subdirs, read_platform
from cuvee.graph.solving.pool import Pool
from cuvee.platforms import DEFAULT_FLOOR, get
from needed_programs import need

pytestmark = pytest.mark.real

_SAMPLE = 50  # per channel; the benchmark asks about all records
CHANNELS = [
    ("conda-forge-subset", "osx-arm64"),
    ("conda-forge-subset", "linux-aarch64"),
    ("main-and-r-2017", "linux-64"),
]


def read(folder: Path, platform: str) -> Pool:
    records, _ = read_platform(find_subdirs(str(folder), [platform], folder), platform)
    assert records.problems == ()
    return Pool(records.records, virtual_packages(platform, DEFAULT_FLOOR[get(platform).system]))


def oracle_of(folder: Path, platform: str, scratch: Path) -> Oracle:
    """Return rattler the same files; one that is a mere index is written as repodata."""
    paths = sorted(folder.glob(f"{platform}/repodata.json")) + sorted(folder.glob("noarch/repodata.json"))
    for index in folder.glob(f"{platform}/index.json"):
        values = json.loads(index.read_bytes())
        packages = {name: {"subdir": platform} | value for name, value in values.items()}
        path = scratch / platform / "repodata.json"
        path.parent.mkdir()
        path.write_text(
            json.dumps({"info": {"subdir": platform}, "packages": packages, "packages.conda": {}})
        )
        paths.append(path)
    return Oracle(paths, virtual_packages(platform, DEFAULT_FLOOR[get(platform).system]))


@pytest.mark.parametrize(("channel", "platform"), CHANNELS)
def test_a_sample_of_real_records_gets_rattlers_answer(
    shared_data: Path, tmp_path: Path, channel: str, platform: str
) -> None:
    folder = shared_data / "channels" / channel
    pool = read(folder, platform)
    bad = {item.record.file_name for item in check_pool(pool, platform).not_installable}
    oracle = oracle_of(folder, platform, tmp_path)
    real = [pool[number] for number in pool if not pool[number].is_virtual]
    refused = [record for record in real if record.file_name in bad]
    choose = random.Random(4)  # noqa: S311 - a sample
    sample = [*choose.sample(real, _SAMPLE), *choose.sample(refused, _SAMPLE // 2)]
    for record in sample:
        assert (record.file_name in bad) != oracle.solvable([f"{record.name}[md5={record.md5}]"]), record


def test_one_missing_icu_explains_hundreds(shared_data: Path) -> None:
    pool = read(shared_data / "channels" / "main-and-r-2017", "linux-64")
    result = check_pool(pool, "linux-64")
    assert (result.checked, result.installable) == (5643, 4992)
    worst = result.causes[0]
    assert (worst.kind, worst.specs, worst.victims) == (CauseKind.MISSING, ("icu 54.*",), 462)


def test_dose_debcheck_finds_as_many(shared_data: Path, tmp_path: Path) -> None:
    need(PROGRAM)
    pool = read(shared_data / "channels" / "conda-forge-subset", "osx-arm64")
    write_packages(pool, tmp_path / "Packages")
    assert broken(tmp_path / "Packages")[0] == len(check_pool(pool, "osx-arm64").not_installable)


def test_processes_give_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def record(name: str, version: str, depends: Sequence[str]) -> Record:
        item = entry(name, version)
        return Record(
            name=name, version=version, build=item["build"], url=f"{name}-{version}.conda",
            depends=tuple(depends),
        )  # fmt: skip

    records = [record("py", str(version), []) for version in range(1, 6)]
    for number in range(60):
        before = [f"a{number - 1}"] if number else []
        records += [record(f"a{number}", str(v), [f"py {v}", *before]) for v in range(1, 5)]
        records.append(record(f"bad{number}", "1", [f"a{number} {1 + number % 4}", "py 5"]))
    pool = Pool(records)
    alone = check_pool(pool, "linux-64")
    assert len(alone.not_installable) == 60
    monkeypatch.setattr(pool_check, "SMALL", 0)
    monkeypatch.setattr(pool_check, "_PART", 20)
    here = check_pool(pool, "linux-64")
    assert {item.record for item in here.not_installable} == {item.record for item in alone.not_installable}
    with processes(2) as executor:
        assert check_pool(pool, "linux-64", executor=executor) == here
    with ThreadPoolExecutor(2) as threads:
        assert check_pool(pool, "linux-64", executor=threads) == here


MANIFEST = """\
manifest: 1
distribution: tiny
version: "2026.11.0"
title: Tiny
platforms:
  linux-64: {{floor: {{glibc: "2.28"}}}}
channels: [{channel}]
owners:
  core: {{contact: core@example.org}}
packages:
  old: {{version: "*", owner: core}}
  new: {{version: ">=1", owner: core}}
  x: {{version: "*", owner: core}}
"""


def test_the_packages_of_a_manifest_that_are_never_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_repodata(tmp_path / "channel", [], "noarch")
    write_repodata(
        tmp_path / "channel",
        [
            entry("py", "2"),
            entry("py", "3"),
            entry("old", depends=["py 2"]),
            entry("new", depends=["py 3"]),
            entry("x"),
            entry("zstandard"),  # which installers unpack themselves with
        ],
    )
    manifest = tmp_path / "tiny" / "2026.11.0.yaml"
    manifest.parent.mkdir()
    manifest.write_text(MANIFEST.format(channel=tmp_path / "channel"))
    places = ["--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache")]
    assert run(["coinstall", str(manifest), *places, "-q"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("2026.11.0.yaml, linux-64: 1 groups of 3 packages are never together")
    assert lines[1] in {"  old * and new >=1", "  new >=1 and old *"}
    assert sorted(lines[2:]) == ["      new-1-0 needs py 3", "      old-1-0 needs py 2"]
