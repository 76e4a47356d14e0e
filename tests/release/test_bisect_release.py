"""``cuvee bisect`` on a distribution with one bad package, and with two that are bad only together."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import index_channel
from cuvee.errors import UsageError
from cuvee.integration.outcomes import OutcomeState
from cuvee.progress import SILENT
from cuvee.release import mixture_trials
from cuvee.release.bisect_release import Bisection, BisectRequest, ExchangedPackage, bisect_release
from cuvee.release.pipeline import lock_release
from cuvee.release.record import Release, judge
from tiny_distribution import NOW, Distribution, Recorder

pytestmark = [pytest.mark.real, pytest.mark.minutes(1)]

LEAVES = tuple(f"leaf{number:02}" for number in range(14))

TESTED = '  pytest: "*"\n  single: "*"\n  pair: "*"\n'

NEEDS = {("leaf07", "2"): ("leaf03 >=2",), ("leaf09", "1"): ("leaf04 <2",)}
"""The new leaf07 needs the new leaf03, and the old leaf09 does not accept the new leaf04."""

SINGLE = """\
import leaf05
if leaf05.VERSION >= 2:
    raise RuntimeError("leaf05 has no old_name any more")
"""
PAIR = """\
import leaf02, leaf11
if leaf02.VERSION >= 2 and leaf11.VERSION >= 2:
    raise RuntimeError("leaf02 and leaf11 do not fit together")
"""
SUITE = """\
import time

def test_that_takes_its_time():
    time.sleep(600)

def test_versions():
    import leaf08
    assert leaf08.VERSION < 2

def test_that_always_fails():
    raise AssertionError

def test_that_passes(): ...
"""


def _module(name: str, text: str, version: str = "1", depends: tuple[str, ...] = ()) -> PackageContent:
    return PackageContent(
        name=name,
        version=version,
        build="0",
        subdir="noarch",
        noarch="python",
        depends=("python", *depends),
        timestamp=0,
        test_imports=(name,),
        files=(PackageFile(path=f"site-packages/{name}.py", content=text.encode()),),
    )


@dataclass(frozen=True)
class Cut:
    """Two locked releases, their suites, and a cache."""

    old: Release
    new: Release
    root: Path

    def request(self, test: str, *, cache: Path | None = None, **values: object) -> BisectRequest:
        request = BisectRequest(
            old=self.old,
            new=self.new,
            platform=next(iter(self.old.lock.by_platform)),
            test=test,
            suites=self.root / "integration_tests",
            cache=cache or self.root / "cache",
            today=NOW.date(),
            timeout=60,
        )
        return replace(request, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory, tiny_text: str, host_platform: str) -> Cut:
    root = tmp_path_factory.mktemp("bisect")
    channel = root / "mine"
    for version in "12":
        for name in LEAVES:
            write_package(
                _module(name, f"VERSION = {version}\n", version, NEEDS.get((name, version), ())),
                channel / "noarch",
            )
    for name, text in (("single", SINGLE), ("pair", PAIR)):
        write_package(_module(name, text, depends=LEAVES), channel / "noarch")
    index_channel(channel, [host_platform])
    suite = root / "integration_tests" / "expectations"
    suite.mkdir(parents=True)
    (suite / "test_leaves.py").write_text(SUITE, encoding="utf-8")
    distribution = Distribution(root, Recorder())
    releases = []
    for patch, version in enumerate("12"):
        pins = "".join(f'  {name}: {{version: "=={version}", owner: core}}\n' for name in LEAVES)
        text = (
            tiny_text.replace("interpreter: host\n", f"interpreter: host\nchannels: [{channel}]\n")
            .replace('  win-64: {floor: {win: "10"}}\n', "")
            .replace("wheels: [tqdm, attrs]", "wheels: [pytest]")
            .replace('  tqdm: {version: "==4.70.0", owner: core}\n', TESTED)
            .replace('  attrs: {version: ">=25", owner: core}\n', pins)
            .replace("suites: [smoke]", "suites: [smoke, expectations]")
            .replace("2026.11.0", f"2026.11.{patch}", 1)
        )
        name = f"2026.11.{patch}"
        release = lock_release(distribution.session(distribution.write(text, name), host_platform))
        releases.append(replace(release, verdict=judge(release)))
        releases[-1].save()
    return Cut(old=releases[0], new=releases[1], root=root)


def _named(found: Bisection) -> list[list[str]]:
    return [[package.name for package in culprit.packages] for culprit in found.culprits]


def test_the_one_bad_package_is_named_in_about_log2_trials(cut: Cut) -> None:
    found = bisect_release(cut.request("smoke/import:single"), SILENT)
    (culprit,) = found.culprits
    assert culprit.packages == (ExchangedPackage(name="leaf05", before="1", after="2"),)
    assert (culprit.alternatives, culprit.needs) == (False, ())
    assert (found.changed, found.units) == (14, 14)
    assert len(found.tried) <= 2 + 4 + 1  # the two ends, log2 of 14, and the package by itself
    assert not any(tried.cached for tried in found.tried)
    assert found.tried[1].reason.endswith("RuntimeError: leaf05 has no old_name any more")


def test_the_two_that_do_not_fit_together_are_named(cut: Cut) -> None:
    found = bisect_release(cut.request("smoke/import:pair"), SILENT)
    assert sorted(_named(found)) == [["leaf02"], ["leaf11"]]
    assert len(found.tried) <= 2 + 2 * (4 + 1)


def test_only_the_test_that_is_named_runs(cut: Cut) -> None:
    found = bisect_release(cut.request("expectations/test_leaves.py::test_versions"), SILENT)
    assert _named(found) == [["leaf08"]]


def test_an_interrupted_search_goes_on_from_what_it_has_tried(
    cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = cut.request("smoke/import:single")
    whole = bisect_release(request, SILENT)
    for path in (cut.root / "cache" / "bisect").iterdir():
        path.unlink()
    run = mixture_trials.MixtureTrials._run
    count = 0

    def interrupted(*arguments: object) -> object:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return run(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(mixture_trials.MixtureTrials, "_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bisect_release(request, SILENT)
    monkeypatch.undo()
    cached = sorted((cut.root / "cache" / "bisect").iterdir())
    assert len(cached) == 2
    cached[0].write_bytes(b"damaged")
    resumed = bisect_release(request, SILENT)
    assert sum(tried.cached for tried in resumed.tried) == 1
    assert resumed.culprits == whole.culprits


@pytest.mark.parametrize(
    ("test", "message"),
    [
        ("expectations/test_leaves.py::test_that_passes", r"fails in tiny-2026.11.1; there it is pass"),
        ("expectations/test_leaves.py::test_that_always_fails", r"passes in tiny-2026.11.0; .* fail"),
        ("smoke/import:singel", r"There is no test smoke/import:singel on"),
        ("smoke/install", r"smoke/install is about an installer"),
        ("single", r"does not name a test"),
    ],
)
def test_what_cannot_be_bisected_is_said(test: str, message: str, cut: Cut) -> None:
    with pytest.raises(UsageError, match=message):
        bisect_release(cut.request(test), SILENT)


def test_releases_that_do_not_differ_or_lack_the_platform(cut: Cut) -> None:
    with pytest.raises(UsageError, match="have the same packages"):
        bisect_release(cut.request("smoke/import:single", new=cut.old), SILENT)
    with pytest.raises(UsageError, match="has no lock for osx-64"):
        bisect_release(cut.request("smoke/import:single", platform="osx-64"), SILENT)


def test_the_command_names_the_package(cut: Cut) -> None:
    command = [
        sys.executable, "-m", "cuvee", "bisect", "--test", "smoke/import:single", str(cut.old.folder),
        f"manifests/tiny/{cut.new.manifest.version}.yaml", "--cache", str(cut.root / "cache"),
    ]  # fmt: skip
    text = subprocess.run(command, cwd=cut.root, capture_output=True, text=True, check=True)
    assert text.stdout.splitlines()[-2:] == ["It fails because of this change:", "  leaf05 1 → 2"]
    assert "1. none of 14 changes: pass" in text.stderr
    data = subprocess.run([*command, "--json"], cwd=cut.root, capture_output=True, text=True, check=True)
    found = json.loads(data.stdout)
    assert found["culprits"] == [
        {
            "packages": [{"name": "leaf05", "before": "1", "after": "2"}],
            "alternatives": False,
            "needs": [],
        }
    ]
    assert found["tried"][1]["state"] == OutcomeState.FAIL.value
