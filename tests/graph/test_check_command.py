"""``cuvee check`` from the manifest on: chosen checks, releases upon releases, and all kinds of bad input."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import tiny_index
from cuvee.cli.main import run
from cuvee.graph.checks import ALL_CHECKS, ARCHIVE_CHECKS
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock
from cuvee.lock.solve import solve
from cuvee.manifest import load_manifest
from cuvee.release import lock_stage
from cuvee.release.record import ChannelResult, LockResult, Release, judge, portable

PYTHON = "python 3.11: __glibc >=2.17"
ASKED = 'python: "3.11"\na: "*"'


@dataclass
class Tiny:
    """A channel that is only an index, manifests, and where their releases go."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    options: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.options = "--dist", str(self.root / "dist"), "--cache", str(self.root / "cache"), "-q"

    def channel(self, *lines: str) -> Path:
        return tiny_index.write_index(self.root / "channel", map(tiny_index.entry, (PYTHON, *lines)))

    def manifest(self, packages: str = ASKED, **changes: Any) -> Path:
        return tiny_index.write_manifest(self.root / "manifests", self.root / "channel", packages, **changes)

    def check(self, manifest: Path, *options: str, code: int = 0) -> str:
        self.capsys.readouterr()
        assert run(["check", str(manifest), *self.options, "--refresh", *options]) == code
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        return said.out or said.err

    def results(self, manifest: Path, *options: str, code: int = 0) -> dict[str, Any]:
        found = json.loads(self.check(manifest, "--json", *options, code=code))
        return {item["identifier"]: item for item in found["checks"]}


@pytest.fixture
def tiny(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tiny:
    return Tiny(tmp_path, capsys)


def test_chosen_checks_run_and_nothing_is_written(tiny: Tiny) -> None:
    tiny.channel("a 1.0: python")
    manifest = tiny.manifest()
    text = tiny.check(manifest, "--only", "unknown-licenses")
    assert f"1 of {len(ALL_CHECKS)} checks: warning. The other checks were not run." in text
    assert "2 packages are under an unknown licence" in text
    assert "no owner" not in text
    assert not list((tiny.root / "dist").rglob("findings.json"))
    found = tiny.results(manifest, "--skip", "unknown-licenses", "--no-archives")
    assert found["unknown-licenses"]["reason"] == "excluded by the selection of checks"
    assert "Did you mean licenses?" in tiny.check(manifest, "--only", "licences", code=2)
    tiny.check(manifest, code=1)
    assert len(list((tiny.root / "dist").rglob("findings.json"))) == 1


def test_checks_that_lack_archives_do_not_pass_unless_they_were_left_out(tiny: Tiny) -> None:
    tiny.channel("a 1.0: python")
    manifest = tiny.manifest()
    text = tiny.check(manifest, code=1)
    assert "warning [path-lengths, link-scripts] Not checked: the archives were not opened" in text
    assert "needs-approval [archives, record, " in text
    assert "  do: Run `cuvee check --archives`" in text
    assert "tiny-2026.11.0: needs-approval" in text
    left_out = tiny.check(manifest, "--no-archives")
    count = f"{len(ALL_CHECKS) - len(ARCHIVE_CHECKS)} of {len(ALL_CHECKS)} checks"
    assert f"tiny-2026.11.0: {count}: warning. The other checks were not run." in left_out


def test_a_manifest_grades_a_check(tiny: Tiny) -> None:
    tiny.channel("a 1.0: python")
    text = tiny.check(tiny.manifest(more="policy: {checks: {unknown-licenses: blocked}}"), code=1)
    assert text.startswith("blocked [unknown-licenses]")
    wrong = tiny.manifest(more="policy: {checks: {unknown-license: blocked}}")
    message = tiny.check(wrong, code=2)
    assert f"{wrong}:" in message
    assert 'there is no check "unknown-license"' in message
    assert 'did you mean "unknown-licenses"?' in message


def test_a_patch_release_is_held_to_its_base(tiny: Tiny) -> None:
    tiny.channel("a 1.0: python; low >=1", "a 2.0: python; low >=2", "low 1.5", "low 2.0")
    base = tiny.manifest('python: "3.11"\na: "1.0"')
    patch = base.with_name("2026.11.1.yaml")
    patch.write_text(
        'manifest: 1\ndistribution: tiny\nversion: "2026.11.1"\nbased-on: "2026.11.0"\npackages: {a: "2.0"}\n'
    )
    skipped = tiny.results(patch, "--no-archives", code=1)["changes"]
    assert (skipped["status"], skipped["reason"]) == (
        "skipped",
        "the lock of tiny-2026.11.0 was not found, neither beside this release nor in reports/",
    )
    (finding,) = skipped["findings"]
    assert finding["verdict"] == "needs-approval"
    assert f"`cuvee lock {base}`" in finding["action"]
    tiny.check(base, "--only", "constrains")
    found = tiny.results(patch, "--no-archives", code=1)["changes"]["findings"]
    assert [item["cause"] for item in found] == [MAJOR]
    assert found[0]["evidence"] == ["major change, requested", "the manifest requests a 2.0"]


MAJOR = "A patch release does not raise a major version: a 1.0 to 2.0"


@pytest.mark.parametrize("kept", ["folder", "lock", "record", "reports"])
def test_a_base_is_found_wherever_it_is_kept(tiny: Tiny, kept: str) -> None:
    tiny.channel("a 1.0: python; low >=1", "a 2.0: python; low >=2", "low 1.5", "low 2.0")
    base = tiny.manifest('python: "3.11"\na: "1.0"')
    patch = base.with_name("2026.11.1.yaml")
    patch.write_text(
        'manifest: 1\ndistribution: tiny\nversion: "2026.11.1"\nbased-on: "2026.11.0"\npackages: {a: "2.0"}\n'
    )
    tiny.check(base, "--no-archives")
    made = tiny.root / "dist" / "tiny-2026.11.0"
    where = tiny.root / ("reports/tiny-2026.11.0" if kept == "reports" else "elsewhere")
    where.parent.mkdir(exist_ok=True)
    if kept == "record":
        lock = read_lock(made / "lock" / "pixi.lock")
        record = Release(
            manifest=portable(load_manifest(base, today=dt.date(2026, 11, 22))),
            channel=ChannelResult(),
            locked=LockResult(lock=lock),
            made_at=dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
            folder=where,
        )
        replace(record, verdict=judge(record)).save()
        shutil.rmtree(made)
    else:
        made.rename(where)
    path = where / "lock" / "pixi.lock" if kept == "lock" else where
    options = () if kept == "reports" else ("--base", str(path))
    found = tiny.results(patch, "--no-archives", *options, code=1)["changes"]["findings"]
    assert [item["cause"] for item in found] == [MAJOR]
    if kept == "record":
        tiny.check(patch, "--no-archives", "--base", str(where), code=1)


def test_a_base_that_is_not_there_or_another_one_is_refused(tiny: Tiny) -> None:
    tiny.channel("a 1.0: python")
    base = tiny.manifest()
    assert "no `based-on`" in tiny.check(base, "--base", str(tiny.root), code=2)
    patch = base.with_name("2026.11.1.yaml")
    patch.write_text('manifest: 1\ndistribution: tiny\nversion: "2026.11.1"\nbased-on: "2026.11.0"\n')
    text = tiny.check(patch, "--base", str(tiny.root / "nowhere"), code=2)
    assert f"--base: there is no lock at {tiny.root / 'nowhere'}" in text
    assert "Name the release folder of tiny-2026.11.0, or its pixi.lock." in text


def unchanged(tiny: Tiny, manifest: Path, *, code: int) -> dict[str, Any]:
    """What a check finds that does not lock again."""
    tiny.capsys.readouterr()
    assert run(["check", str(manifest), *tiny.options, "--json"]) == code
    return {item["identifier"]: item for item in json.loads(tiny.capsys.readouterr().out)["checks"]}


def test_a_lock_is_compared_with_what_its_channels_have_today(tiny: Tiny) -> None:
    members = [f"m{number} 1.0: low" for number in range(6)]
    tiny.channel(
        "a 1.0: python; " + "; ".join(f"m{number}" for number in range(6)), *members, "low 2.0", "b 1.0"
    )
    manifest = tiny.manifest('python: "3.11"\na: "*"\nb: "*"')
    tiny.check(manifest, code=1)
    lock = tiny.root / "dist" / "tiny-2026.11.0" / "lock" / "pixi.lock"
    before = lock.read_bytes()
    tightened = [f"m{number} 1.0: low <2" for number in range(5)]
    tiny.channel(
        "a 1.0: python; " + "; ".join(f"m{number}" for number in range(6)),
        *tightened,
        "m5 1.0: low; package_has_been_revoked",
        "low 2.0",
    )
    found = unchanged(tiny, manifest, code=1)
    assert [item["packages"] for item in found["corrections"]["findings"]] == [[f"m{n}"] for n in range(5)]
    assert {item["verdict"] for item in found["corrections"]["findings"]} == {"blocked"}
    assert [(item["kind"], item["packages"]) for item in found["withdrawn"]["findings"]] == [
        ("withdrawn", ["b"]),
        ("revoked", ["m5"]),
    ]
    assert lock.read_bytes() == before


def test_a_patch_release_takes_what_its_channel_has_today(tiny: Tiny) -> None:
    rest = ("lab 4.0", "lab 4.1", "low 1.0", "other 1.0", "low 0.9")
    tiny.channel("a 1.0: lab >=4,<5; low", *rest)
    base = tiny.manifest('python: "3.11"\na: "1.0"')
    tiny.check(base, "--no-archives")
    patch = base.with_name("2026.11.1.yaml")
    patch.write_text(
        'manifest: 1\ndistribution: tiny\nversion: "2026.11.1"\nbased-on: "2026.11.0"\n'
        'packages: {other: "1.0"}\npolicy: {patch: {allow: [add, rebuild, downgrade]}}\n'
    )
    tiny.channel("a 1.0: lab >=4,<4.1.0a0; low", *(line for line in rest if line != "low 1.0"))
    found = tiny.results(patch, "--no-archives")
    assert not found["corrections"]["findings"]
    (finding,) = found["withdrawn"]["findings"]
    assert finding["cause"] == "The base's low-1.0-0 is no longer in its channel"
    assert finding["evidence"] == ["this release has low-0.9-0"]
    lock = read_lock(tiny.root / "dist" / "tiny-2026.11.1" / "lock" / "pixi.lock").by_platform["linux-64"]
    assert lock.by_name["a"].depends == ("lab >=4,<4.1.0a0", "low")
    assert lock.by_name["lab"].version == "4.0"
    patch.write_text(patch.read_text().replace(", downgrade", ""))
    assert tiny.results(patch, code=1)["changes"]["status"] == "fail"


def test_a_lock_whose_channel_is_gone_is_not_compared(tiny: Tiny) -> None:
    channel = tiny.channel("a 1.0: python")
    manifest = tiny.manifest()
    tiny.check(manifest, code=1)
    channel.rename(channel.with_name("moved"))
    tiny.capsys.readouterr()
    run(["check", str(manifest), *tiny.options])
    assert f"not compared with file://{channel}: Cannot read" in tiny.capsys.readouterr().out


def test_why_something_is_missing_is_looked_up_in_the_channels(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.channel("a 1.0: python; low", "low 1.5", "low 2.0: __glibc >=2.99")
    manifest = tiny.manifest()
    drop_from_lock(monkeypatch, "low")
    (finding,) = tiny.results(manifest, code=1)["closure"]["findings"]
    assert finding["kind"] == "not-locked"
    assert finding["cause"].endswith("a channel has low-1.5-0, which is not locked")


def drop_from_lock(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the solver leave a package out of the lock."""

    def solving(*arguments: Any, **options: Any) -> Lock:
        lock = solve(*arguments, **options)
        kept = (
            replace(part, packages=tuple(item for item in part.packages if item.name != name))
            for part in lock.platforms
        )
        return replace(lock, platforms=tuple(kept))

    monkeypatch.setattr(lock_stage, "solve", solving)


Break = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("breaking", "words"),
    [
        (lambda record: record.update(version="1 2"), "noarch/a-1.0-0.conda: '1 2' is not a version"),
        (
            lambda record: record.update(depends={"b": 1}),
            "noarch/a-1.0-0.conda: depends is not a list of texts",
        ),
        (
            lambda record: record.update(build_number="x"),
            "noarch/a-1.0-0.conda: build_number is 'x', not a number",
        ),
    ],
)
def test_a_broken_record_of_an_index_is_named(tiny: Tiny, breaking: Break, words: str) -> None:
    path = tiny.channel("a 1.0: python") / "noarch" / "repodata.json"
    data = json.loads(path.read_text())
    breaking(data["packages.conda"]["a-1.0-0.conda"])
    path.write_text(json.dumps(data))
    assert words in tiny.check(tiny.manifest(), code=4)


def test_a_broken_index_is_named(tiny: Tiny) -> None:
    path = tiny.channel("a 1.0: python") / "noarch" / "repodata.json"
    path.write_text('{"packages.conda": {\n"a": }')
    assert "noarch/repodata.json: not JSON at line 2, column 6" in tiny.check(tiny.manifest(), code=4)


def test_a_match_spec_that_can_not_be_read_is_named(tiny: Tiny) -> None:
    tiny.channel("a 1.0: python; b >=1,<")
    said = tiny.check(tiny.manifest(), code=1)
    assert "b >=1,<" in said
    assert "a 1.0" in said or "a ==1.0" in said or "a-1.0" in said


def test_manifests_that_are_based_on_each_other_are_an_error_with_a_line(tiny: Tiny) -> None:
    tiny.channel("a 1.0: python")
    first = tiny.manifest(more='based-on: "2026.10.1"')
    tiny.manifest(more='based-on: "2026.11.0"', version="2026.10.1")
    assert "2026.10.1" in tiny.check(first, code=2)


def test_an_archive_that_is_gone_is_a_finding_and_the_other_checks_run(tiny: Tiny) -> None:
    tiny.channel("a 1.0: python")
    found = tiny.results(tiny.manifest(), "--archives", code=1)
    assert [item["victims"] for item in found["archives"]["findings"]] == [
        ["a-1.0-0@linux-64"],
        ["python-3.11-0@linux-64"],
    ]
    for item in found["archives"]["findings"]:
        assert item["evidence"][0].startswith(f"The archive of {item['victims'][0]} is missing")
    assert found["closure"]["status"] == "pass"
    assert found["libraries"]["reason"] == "needs archives to pass first"
