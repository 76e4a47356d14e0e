"""``cuvee check-channel`` and ``cuvee coinstall``: what they print, and what they say of bad input."""

import csv
import io
import json
from pathlib import Path

import pytest

from channel_oracle import Entry, entry, write_repodata
from cuvee.cli.main import run
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.pixi_lock import read_lock, write_lock
from cuvee.progress import SILENT
from cuvee.release.coinstall_inputs import of_locks

ENTRIES = [
    entry("icu", "58.2"),
    entry("base", depends=["icu 54.*"]),
    entry("r-a", depends=["base"]),
    entry("r-b", depends=["base"]),
    entry("py", "2"),
    entry("py", "3"),
    entry("old", depends=["py 2"]),
    entry("bad", depends=["old", "py 3"]),
    entry("bad", "2"),
    entry("gpu", depends=["__cuda >=12"]),
]

PAGE = """\
linux-64: 5 of 10 records can be installed; of the 8 newest, 4 cannot
  3 missing: no record meets icu 54.*; there is 58.2
      base, r-a, r-b; 1 state it
  1 conflict: no records meet old, py 3 together
      bad
  1 system: the system does not offer __cuda >=12
      gpu
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUVEE_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def channel(tmp_path: Path) -> Path:
    write_repodata(tmp_path / "channel", ENTRIES)
    return tmp_path / "channel"


def test_the_page_has_causes_with_the_most_victims_first(
    channel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check-channel", str(channel)]) == 1
    first = capsys.readouterr()
    assert first.out == PAGE
    assert "Check linux-64: done" in first.err
    assert run(["check-channel", str(channel), "--quiet"]) == 1
    assert tuple(capsys.readouterr()) == (PAGE, "")


def test_verbose_lists_the_records(channel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["check-channel", str(channel), "-v"])
    assert "        r-a-1-0 needs base -> base-1-0 needs icu 54.*\n" in capsys.readouterr().out


def test_json(channel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check-channel", str(channel / "linux-64" / "repodata.json"), "--json"]) == 1
    value = json.loads(capsys.readouterr().out)
    (platform,) = value["platforms"]
    assert (platform["platform"], platform["checked"], platform["not_installable"]) == ("linux-64", 10, 5)
    assert platform["newest"] == {"checked": 8, "not_installable": 4}
    assert platform["causes"][1] == {
        "kind": "conflict",
        "specs": ["old", "py 3"],
        "sentence": "no records meet old, py 3 together",
        "direct": 1,
        "victims": 1,
        "names": ["bad"],
    }
    assert platform["records"][0] == {
        "record": "bad-1-0",
        "subdir": "linux-64",
        "file_name": "bad-1-0.conda",
        "newest": False,
        "reason": ["old", "py 3"],
        "chain": ["bad-1-0 needs old and py 3"],
        "cause": 1,
    }


def test_csv_has_a_row_per_record(channel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "records.csv"
    assert run(["check-channel", str(channel), "--csv", "--output", str(output), "-q"]) == 1
    assert capsys.readouterr().out == ""
    rows = {row["file_name"]: row for row in csv.DictReader(io.StringIO(output.read_text()))}
    assert len(rows) == len(ENTRIES)
    assert [name for name, row in rows.items() if row["installable"] == "no"] == [
        "bad-1-0.conda", "base-1-0.conda", "gpu-1-0.conda", "r-a-1-0.conda", "r-b-1-0.conda",
    ]  # fmt: skip
    assert rows["bad-1-0.conda"]["newest"] == "no"
    assert rows["r-a-1-0.conda"]["chain"] == "r-a-1-0 needs base -> base-1-0 needs icu 54.*"


def test_a_floor_adds_to_what_the_system_offers(channel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check-channel", str(channel), "--newest", "--floor", "cuda=12.4", "-q"]) == 1
    assert "__cuda" not in capsys.readouterr().out


def test_a_whole_channel_exits_with_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_repodata(tmp_path / "good", [entry("a"), entry("b", depends=["a"])])
    assert run(["check-channel", str(tmp_path / "good"), "-q"]) == 0
    head = "linux-64: 2 of 2 records can be installed; of the 2 newest, 0 cannot\n"
    assert capsys.readouterr().out == head


def test_each_platform_sees_noarch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_repodata(tmp_path, [entry("lib")], "linux-64")
    write_repodata(tmp_path, [entry("other", subdir="win-64")], "win-64")
    write_repodata(tmp_path, [entry("pure", depends=["lib"], subdir="noarch")], "noarch")
    run(["check-channel", str(tmp_path), "--csv", "-q"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["platform"], row["name"], row["installable"]) for row in rows] == [
        ("linux-64", "lib", "yes"),
        ("linux-64", "pure", "yes"),
        ("win-64", "other", "yes"),
        ("win-64", "pure", "no"),
    ]


SUBDIRS = ("linux-ppc64le", "linux-armv7l", "win-arm64", "emscripten-wasm32", "osx-64", "quantum-q128")


def test_every_subdir_of_a_folder_is_checked_whether_releases_know_it_or_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for subdir in SUBDIRS:
        write_repodata(tmp_path, [entry("a", subdir=subdir, depends=["no-such"])], subdir)
    for folder in ("noarch", "backup", ".cache"):
        write_repodata(tmp_path, [entry("b", subdir="noarch")], folder)
    assert run(["check-channel", str(tmp_path), "-q", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["platforms"]
    assert [item["platform"] for item in found] == ["osx-64", *sorted(set(SUBDIRS) - {"osx-64"})]
    assert {(item["checked"], item["not_installable"]) for item in found} == {(2, 1)}
    assert run(["check-channel", str(tmp_path), "-q", "--platform", "quantum-q128"]) == 1
    head = "quantum-q128: 1 of 2 records can be installed; of the 2 newest, 1 cannot\n"
    assert capsys.readouterr().out.startswith(head)
    assert run(["check-channel", str(tmp_path / "win-arm64" / "repodata.json"), "-q"]) == 1
    assert capsys.readouterr().out.startswith("win-arm64: 0 of 1 records")


def test_each_subdir_has_the_virtual_packages_of_its_system(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {
        "linux-ppc64le": ["__linux", "__unix", "__glibc >=2.28", "__archspec * ppc64le"],
        "linux-32": ["__linux", "__archspec * x86"],
        "win-arm64": ["__win >=10", "__archspec * aarch64"],
        "emscripten-wasm32": ["__unix", "__archspec * wasm32"],
        "freebsd-64": ["__unix", "__archspec * x86_64"],
    }
    for subdir, depends in asked.items():
        write_repodata(tmp_path, [entry("a", subdir=subdir, depends=depends)], subdir)
    assert run(["check-channel", str(tmp_path), "-q", "--floor", "glibc=2.28"]) == 0, capsys.readouterr().out
    assert run(["check-channel", str(tmp_path), "-q", "--platform", "linux-32", "--floor", "glibc=2.17"]) == 0


def test_broken_records_are_told_and_the_rest_is_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_repodata(tmp_path, [entry("good"), entry("bad", version="1..x!y"), entry("odd", depends="good")])
    assert run(["check-channel", str(tmp_path), "-q"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "linux-64: 1 of 1 records can be installed; of the 1 newest, 0 cannot",
        "  unreadable: bad-1..x!y-0.conda: '1..x!y' is not a version",
        "  unreadable: odd-1-0.conda: depends is not a list of texts",
    ]


def test_half_a_file_is_checked_as_far_as_it_goes(channel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = channel / "linux-64" / "repodata.json"
    path.write_bytes(path.read_bytes()[:600])
    assert run(["check-channel", str(channel), "-q"]) == 1
    assert "repodata.json: not JSON at line 1, column" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere/at/all"], 2, "There is no nowhere/at/all"),
        (["{empty}"], 4, "has no <subdir>/repodata.json"),
        (["{channel}", "--platform", "win-64"], 4, "has no repodata for win-64"),
        (["conda-forge"], 2, "No platform is named for conda-forge"),
        (["{channel}", "--json", "--csv"], 2, "--json and --csv exclude each other"),
        (["{channel}", "--floor", "glibc"], 2, "--floor glibc has no version"),
        (["{channel}", "--floor", "osx=12"], 2, "There is no floor 'osx' here"),
        (["{channel}", "--floor", "glibc=1..x!y"], 2, "'1..x!y' is not a version of glibc"),
        (["{file}"], 2, "No platform is named for"),
        (["{noarch}"], 2, "has only noarch"),
        (["{noarch}", "--platform", "linux-46"], 4, "has no repodata for linux-46"),
        (["{noarch}", "--platform", "noarch"], 2, "noarch is not a platform"),
        (["conda-forge", "--platform", "linux-46"], 2, "There is no subdir 'linux-46'"),
        (["{channel}/linux-64/repodata.json", "--platform", "win-64", "--platform", "linux-64"], 2,
         "is the repodata of one platform"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(
    channel: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    tmp_path = channel.parent
    (tmp_path / "empty").mkdir()
    file = tmp_path / "records.json"
    file.write_text("nothing")
    noarch = tmp_path / "only-noarch"
    write_repodata(noarch, [entry("a", subdir="noarch")], "noarch")
    filled = [
        item.format(empty=tmp_path / "empty", channel=channel, file=file, noarch=noarch) for item in arguments
    ]
    assert run(["check-channel", *filled]) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "next: " in captured.err
    assert captured.out == ""


def locked(item: Entry) -> LockedPackage:
    url = f"https://example.org/c/linux-64/{item['name']}-{item['version']}-{item['build']}.conda"
    return LockedPackage(
        name=item["name"], version=item["version"], build=item["build"], build_number=0, platform="linux-64",
        subdir="linux-64", url=url, channel="https://example.org/c", sha256="0" * 64,
        depends=tuple(item["depends"]),
    )  # fmt: skip


def write(path: Path, *entries: Entry) -> Path:
    packages = tuple(locked(item) for item in entries)
    glibc = (VirtualPackage(name="__glibc", version="2.28"),)
    platform = PlatformLock(platform="linux-64", packages=packages, virtual_packages=glibc)
    write_lock(
        Lock(platforms=(platform,)),
        path,
        channels=("https://example.org/c",),
        own_channel="https://example.org/own",
    )
    return path


def test_locks_are_compared_by_what_nothing_else_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write(tmp_path / "one.lock", entry("py", "2"), entry("old", depends=["py 2"]), entry("x"))
    two = write(tmp_path / "two.lock", entry("py", "3"), entry("new", depends=["py 3"]), entry("x"))
    (alone,) = of_locks([read_lock(one)], platforms=[], any_version=False, limit=9, reporter=SILENT)
    assert (alone.specs, alone.groups, alone.complete) == (("old ==1 0", "x ==1 0"), (), True)
    assert run(["coinstall", str(one), str(two), "-q"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("two.lock, linux-64: 1 groups of 3 packages are never together")
    assert lines[1:] == ["  old ==1 0 and new ==1 0", "      old-1-0 needs py 2", "      new-1-0 needs py 3"]
    assert run(["coinstall", str(one), str(two), "--json", "--any-version", "-q"]) == 1
    (source,) = json.loads(capsys.readouterr().out)
    assert source["platforms"][0]["groups"] == [
        {"specs": ["old", "new"], "reason": ["old-1-0 needs py 2", "new-1-0 needs py 3"]}
    ]


def test_coinstall_says_what_makes_no_sense(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = write(tmp_path / "one.lock", entry("a"))
    assert run(["coinstall", str(one), str(tmp_path / "m.yaml")]) == 2
    assert "Manifests and locks cannot be mixed" in capsys.readouterr().err
    assert run(["coinstall", str(tmp_path / "no.lock")]) == 2
    assert run(["coinstall", str(one), "--platform", "win-64", "-q"]) == 2
    assert "No lock is for win-64" in capsys.readouterr().err
