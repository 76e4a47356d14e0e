"""The tests that packages carry, run in a tiny release that has the packages."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from carrying_packages import BAD, GOOD, NEEDY, ODD, TOOLS, Carrier, write_carriers, write_installed
from container_store import DEBIAN, debian_containers
from cuvee.cli.main import run
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.release.record import Release
from cuvee.release.test_stage import plan_of
from ssh_server import SshServer
from tiny_distribution import Distribution, Recorder

pytestmark = [pytest.mark.real, pytest.mark.minutes(2)]

CARRIERS = (*GOOD, *BAD, *ODD, *NEEDY)
PYTEST = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
SUITES = {
    "own": {"suite.yaml": "{kind: packaged, title: The packages' own tests, owner: core}"},
    "checks": {
        "suite.yaml": f"tools: [{', '.join(PYTEST)}]",
        "test_checks.py": "import subprocess, sys\n\n\ndef test_beside():\n    import condaone, pytest\n"
        "    assert condaone.__file__.startswith(sys.prefix)\n"
        "    assert not pytest.__file__.startswith(sys.prefix)\n"
        "    code = 'import pytest, condaone'\n"
        "    subprocess.run([sys.executable, '-c', code], check=True)\n",
    },
    "leaving": {
        "test_leaves.py": "import pathlib, sys\n\n\ndef test_leaves():\n"
        "    (pathlib.Path(sys.prefix) / 'share' / 'left here.txt').write_text('x')\n",
        "test_changes.py": "import pathlib, condaone\n\n\ndef test_changes():\n"
        "    path = pathlib.Path(condaone.__file__)\n"
        "    text = path.read_text()\n    path.unlink()\n    path.write_text('# changed\\n' + text)\n",
        "test_clean.py": "def test_clean(tmp_path):\n    (tmp_path / 'x').write_text('x')\n",
        "suite.yaml": f"{{title: Suites that change the release, tools: [{', '.join(PYTEST)}]}}",
    },
    "untooled": {"test_checks.py": "def test_nothing(): ..."},
    "missing": {
        "suite.yaml": '{tools: [pytest, "attrs <1"]}',
        "test_checks.py": "def test_nothing(): ...",
    },
    "programs": {
        "suite.yaml": "kind: command\ntools: [shelltool]\ncommands:\n"
        "- {program: shelltool, says: from beside}\n- {program: python, arguments: [--version]}\n"
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A release of packages that carry tests."""

    distribution: Distribution
    release: Release
    archives: Mapping[str, Path]

    @property
    def found(self) -> Mapping[str, TestOutcome]:
        return {item.test: item for item in self.release.outcomes if item.suite == "own"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, tiny_text: str, host_platform: str) -> Base:
    distribution = Distribution(tmp_path_factory.mktemp("packaged"), Recorder())
    archives = write_carriers(distribution.root / "channel", (*CARRIERS, *TOOLS))
    write_installed(distribution.root / "channel", *PYTEST)
    for suite, files in SUITES.items():
        folder = distribution.root / "integration_tests" / suite
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_text(content)
    packages = "".join(f'  {item.name}: "*"\n' for item in CARRIERS)
    text = (
        tiny_text.replace("suites: [smoke]", f"suites: [smoke, {', '.join(SUITES)}]")
        .replace("interpreter: host", "channels: [../../channel]\ninterpreter: host")
        .replace("packages:\n", f"packages:\n{packages}")
    )
    release = distribution.cut(distribution.write(text), host_platform, keep_going=True)
    return Base(distribution=distribution, release=release, archives=archives)


STATES = {
    "brokenyaml::tests.yaml": "fail",
    "condabad::run_test.py": "fail",
    "condabad::run_test.sh": "fail",
    "condaone::run_test.py": "pass",
    "condaone::run_test.sh": "pass",
    "condatwo::run_test.py": "pass",
    "contentsbad::package_contents": "fail",
    "contentsbad::package_contents-2": "fail",
    "contentsbad::package_contents-3": "fail",
    "contentsone::package_contents": "pass",
    "downstreambad::downstream:condabad": "fail",
    "futureone::unknown": "not-supported",
    "importbad::python": "fail",
    "oldpythonone::python": "not-supported",
    "perlbad::perl": "fail",
    "perlone::perl": "pass",
    "pipbad::python": "fail",
    "pipbad::python-2": "pass",
    "plainone::tests": "not-supported",
    "condaneeds::run_test.py": "pass",
    "rattlerneeds::script": "pass",
    "rattlerneeds::script-2": "fail",
    "rattlerneeds::script-3": "not-run",
    "rattlerneeds::script-4": "not-run",
    "rattlerneeds::script-5": "pass",
    "rattlerneeds::script-6": "not-run",
    "oddspec::script": "not-run",
    "rattlerone::script": "pass",
    "rattlerone::script-2": "pass",
    "rattlerone::script-3": "pass",
    "rattlerone::python": "pass",
    "rattlerone::downstream:condaone": "pass",
    "rattlerone::downstream:absent": "not-supported",
    "rattlerone::downstream:condaone-2": "not-supported",
    "scriptbad::script": "fail",
    "scriptbad::script-2": "fail",
}

REASONS = {
    "condabad::run_test.py": "exit code 1: ModuleNotFoundError: No module named 'no_such_module'",
    "condabad::run_test.sh": "exit code 1: + false",
    "contentsbad::package_contents": "bin: nothing matches bin/other",
    "downstreambad::downstream:condabad": "condabad::run_test.py: exit code 1: "
    "ModuleNotFoundError: No module named 'no_such_module'",
    "futureone::unknown": "it is of a kind that is not known here: quantum",
    "pipbad::python": "pip check: pipbad requires nowhere-to-be-found, which is not installed",
    "plainone::tests": "it carries no tests",
    "rattlerone::downstream:condaone-2": "the release has no condaone >=2",
    "scriptbad::script-2": "exit code 7: + exit 7",
}


def test_each_test_has_an_outcome_of_its_own(base: Base) -> None:
    names = {item.name for item in CARRIERS}
    found = {test: item for test, item in base.found.items() if test.partition("::")[0] in names}
    assert {test: item.state.value for test, item in found.items()} == STATES
    assert {test: found[test].reason for test in REASONS} == REASONS
    assert {item.package for item in found.values()} == names
    # What cuvee has made of wheels carries tests, too.
    assert base.found["attrs::python"].state is OutcomeState.PASS


def test_what_was_planned_is_what_is_reported(base: Base, host_platform: str) -> None:
    session = base.distribution.session(base.distribution.root / "manifests/tiny/2026.11.0.yaml")
    lock = base.release.lock.by_platform[host_platform]
    plan = plan_of(session, lock, not_built=False)
    planned = [(test.suite, test.test) for test in plan.tests()]
    leaving = {"test_leaves.py::left-behind", "test_changes.py::left-behind"}
    assert planned == [
        (item.suite, item.test)
        for item in base.release.outcomes
        if item.platform == host_platform and item.test not in leaving
    ]


def test_what_cannot_be_had_is_not_run_and_says_why(base: Base) -> None:
    names = ("rattlerneeds::script-3", "rattlerneeds::script-4", "oddspec::script", "rattlerneeds::script-6")
    absent, other, odd, interpreter = (base.found[name].reason for name in names)
    assert absent.startswith("it needs nowhere-at-all, which cannot be had: ")
    assert other.startswith("it needs tqdm <4, which cannot be had: the release has tqdm-4.70.0-")
    assert odd.startswith("it needs pytest[, which cannot be had: 'pytest[' is not a match spec: ")
    assert interpreter == "there is no nushell to run this test with"


def test_tools_ride_beside_for_every_kind_of_suite(base: Base) -> None:
    found = {
        f"{item.suite}/{item.test}": (item.state.value, item.reason)
        for item in base.release.outcomes
        if item.suite in {"checks", "untooled", "missing", "programs"}
    }
    kept = next(item.stem for item in base.release.lock.platforms[0].packages if item.name == "attrs")
    assert found == {
        "checks/test_checks.py::test_beside": ("pass", ""),
        "untooled/test_checks.py::test_nothing": ("not-supported", "the release has no pytest"),
        "missing/test_checks.py::test_nothing": (
            "not-run",
            f"it needs attrs <1, pytest, which cannot be had: the release has {kept}",
        ),
        "programs/shelltool": ("pass", ""),
        "programs/python": ("pass", ""),
    }
    assert not {item.name for item in TOOLS} & set(base.release.lock.platforms[0].by_name)


def test_what_suites_leave_in_the_release_is_an_outcome_of_theirs(base: Base) -> None:
    found = {item.test: item for item in base.release.outcomes if item.suite == "leaving"}
    left = {test: item for test, item in found.items() if test.endswith("::left-behind")}
    assert {test: (item.state.value, item.reason) for test, item in left.items()} == {
        "test_leaves.py::left-behind": ("fail", "it has left share/left here.txt in the release"),
        "test_changes.py::left-behind": (
            "fail",
            "it has changed lib/python3.11/site-packages/condaone.py in the release".replace(
                "python3.11", f"python{sys.version_info[0]}.{sys.version_info[1]}"
            ),
        ),
    }
    assert found["test_clean.py::test_clean"].state is OutcomeState.PASS
    (after,) = [item for item in base.release.outcomes if item.test == "verify-after"]
    assert (after.state, after.reason) == (
        OutcomeState.PASS,
        "tests have left behind what differs; each has an outcome of its own",
    )


def test_the_page_shows_the_tests_of_packages(base: Base) -> None:
    page = (base.release.folder / "report" / "index.html").read_text(encoding="utf-8")
    for text in ("condabad::run_test.py", "test_leaves.py::left-behind", "scriptbad::script-2"):
        assert text in page


ELSEWHERE = ("own/rattlerone", "own/contentsbad", "own/rattlerneeds", "checks", "programs")
"""Suites and packages whose tests need the files of the prefix, or tools beside it."""


@pytest.fixture(params=["ssh", "container", "processes", "dask"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host_platform: str
) -> Iterator[list[str]]:
    """The options of `cuvee test` for a place."""
    if request.param == "processes":
        yield ["--executor", "processes"]
    elif request.param == "container":
        store = debian_containers(tmp_path)
        monkeypatch.setenv("PATH", str(store.bin), prepend=":")
        yield ["--on", f"container:{DEBIAN}"]
        assert store.containers == []
    elif request.param == "dask":
        from dask_machines import machines

        with machines(tmp_path) as cluster:
            cluster.add("one", f"{host_platform}=2", threads=2)
            cluster.wait_for(1)
            yield ["--executor", cluster.executor]
    else:
        server = SshServer(tmp_path / "machine")
        monkeypatch.setenv("PATH", str(server.bin), prepend=":")
        yield ["--on", server.address]
        left = server.left
        server.stop()
        assert left == []


def test_tools_and_tests_of_packages_travel_to_where_the_release_is(
    base: Base, host_platform: str, place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--cache", str(base.distribution.root / "cache"), "-q", "--json"]
    options += [word for item in ELSEWHERE for word in ("--select", item)]
    capsys.readouterr()
    assert run(["test", str(base.release.folder), *options, *place]) == 1
    said = json.loads(capsys.readouterr().out)
    found = {
        (item["suite"], item["test"]): (item["state"], item["reason"])
        for item in said["outcomes"][host_platform]
        if item["reason"] != "not selected" and item["suite"] != "smoke"
    }
    here = {(item.suite, item.test): (item.state.value, item.reason) for item in base.release.outcomes}
    assert found == {test: here[test] for test in found}
    assert len(found) == 22


UNLIKE = {
    "contentsone": "rattler-build checks package_contents when it builds, and passes over them afterwards",
    "contentsbad": "rattler-build checks package_contents when it builds, and passes over them afterwards",
    "condatwo": "it uses variables of conda-build, and rattler-build 0.73 starts scripts for Windows here",
    "condaneeds": "it looks whether what it requires comes last, as only we do it",
    "plainone": "it has no tests",
    "oddspec": "rattler-build refuses to read it",
    "brokenyaml": "rattler-build refuses to read it",
    "futureone": "rattler-build refuses to read it",
    "oldpythonone": "rattler-build looks for that Python, and fails without it",
}
"""Packages of which rattler-build does not say what we say, and why."""

_AS_SUCCESS = {"pass": True, "fail": False, "not-run": False, "not-supported": True}


@pytest.fixture(scope="module")
def extra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel with what rattler-build installs by itself: pip, and `perl`, for which the system's does."""
    channel = tmp_path_factory.mktemp("extra")
    write_carriers(channel, (Carrier(name="perl"),))
    write_installed(channel, "pip", entry_points=("pip = pip._internal.cli.main:main",))
    return channel


@pytest.mark.parametrize("name", [item.name for item in CARRIERS if item.name not in UNLIKE])
def test_our_verdicts_are_those_of_rattler_build(base: Base, extra: Path, name: str) -> None:
    rattler_build = pytest.importorskip("rattler_build", reason="needs py-rattler-build")
    channels = (base.distribution.root / "channel", base.release.folder / "channel", extra)
    package = rattler_build.Package.from_file(base.archives[name])
    found = {
        test.rpartition("::")[2]: outcome
        for test, outcome in base.found.items()
        if test.partition("::")[0] == name
    }
    options = {"channel": [path.as_uri() for path in channels], "channel_priority": "disabled"}
    if len(package.tests) != len(found):  # conda-build's: rattler-build stops at the first that fails
        results = package.run_tests(**options)  # without those of conda-build that pass
        assert all(result.success for result in results) == all(
            _AS_SUCCESS[item.state.value] for item in found.values()
        )
        return
    verdicts = [package.run_test(number, **options).success for number in range(len(package.tests))]
    assert verdicts == [_AS_SUCCESS[item.state.value] for item in found.values()]
