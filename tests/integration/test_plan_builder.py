import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.errors import UsageError
from cuvee.integration.model import Plan
from cuvee.integration.outcomes import OutcomeState
from cuvee.integration.plan_builder import build_plan
from cuvee.integration.platform_run import run_platform
from cuvee.integration.results_folder import read_run
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.selection import select_runner
from cuvee.integration.suite_files import read_suite_files
from cuvee.lock.model import PlatformLock
from cuvee.manifest.model import Installers, Manifest, PlatformEntry, Position, ReleaseVersion, Waiver
from cuvee.progress import SILENT

MakeLock = Callable[..., PlatformLock]


def _manifest(*suites: str) -> Manifest:
    return Manifest(
        path=Path("m.yaml"),
        distribution="tiny",
        version=ReleaseVersion(2026, 11, 0),
        title="Tiny",
        platforms=(PlatformEntry(name="linux-64", floor={}),),
        packages=(),
        installers=Installers(formats={}),
        suites=suites,
    )


def _archive(folder: Path) -> Path:
    content = PackageContent(
        name="tool",
        version="1.0",
        build="0",
        subdir="noarch",
        noarch="python",
        timestamp=0,
        test_imports=("tool",),
        entry_points=("tool = tool:main",),
        files=(PackageFile(path="site-packages/tool-1.0.dist-info/METADATA", content=b""),),
    )
    return write_package(content, folder)


@pytest.fixture
def plan(suites_folder: Path, tmp_path: Path, make_lock: MakeLock) -> Plan:
    (suites_folder / "interop" / "test_a.py").write_text(
        "import pytest\n\ndef test_plain(): ...\n\n@pytest.mark.packages('pandas')\ndef test_table(): ...\n"
    )
    (suites_folder / "upstream.yaml").write_text("- {package: tool, modules: [tool.test_x]}")
    archives: Mapping[str, Path] = {"tool-1.0-0@linux-64": _archive(tmp_path)}
    manifest = _manifest("smoke", "interop", "upstream")
    return build_plan(
        manifest, make_lock("tool", "pytest"), read_suite_files(suites_folder, manifest.suites), archives
    )


def test_a_plan_names_its_tests_before_anything_is_installed(plan: Plan) -> None:
    assert [(test.suite, test.test, test.unsupported) for test in plan.tests()] == [
        ("smoke", "install", ""),
        ("smoke", "verify", ""),
        ("smoke", "check", ""),
        ("smoke", "interpreter", ""),
        ("smoke", "import:tool", ""),
        ("smoke", "metadata:tool", ""),
        ("smoke", "command:tool", ""),
        ("smoke", "verify-after", ""),
        ("interop", "test_a.py::test_plain", ""),
        ("interop", "test_a.py::test_table", "the release has no pandas"),
        ("upstream", "tool/test_x.py", ""),
    ]


def test_a_platform_without_a_runner_is_not_run(plan: Plan, tmp_path: Path) -> None:
    foreign = replace(plan, platform="osx-arm64")
    runner, why = select_runner("osx-arm64")
    assert runner is None
    run = run_platform(
        foreign, installer=tmp_path / "x.pkg", runner=runner, results=tmp_path / "results", reporter=SILENT
    )
    assert run.not_run == why
    assert "no runner" in why
    states = [outcome.state for outcome in run.outcomes]
    assert states == [OutcomeState.NOT_RUN] * 9 + [OutcomeState.NOT_SUPPORTED, OutcomeState.NOT_RUN]
    assert read_run(tmp_path / "results" / "osx-arm64") == run
    assert (tmp_path / "results" / "osx-arm64" / "junit.xml").exists()


def test_a_platform_without_an_installer_is_not_run(plan: Plan, tmp_path: Path) -> None:
    run = run_platform(plan, installer=None, runner=NativeRunner(), results=tmp_path, reporter=SILENT)
    assert run.not_run == "no installer was made for it"
    assert OutcomeState.PASS not in {outcome.state for outcome in run.outcomes}


def test_results_of_an_earlier_run_are_replaced(plan: Plan, tmp_path: Path) -> None:
    stale = tmp_path / plan.platform / "logs" / "smoke" / "old.log"
    stale.parent.mkdir(parents=True)
    stale.touch()
    run_platform(plan, installer=None, runner=None, results=tmp_path, reporter=SILENT)
    assert not stale.exists()


def test_waivers_of_other_platforms_and_of_yesterday_do_not_count(
    suites_folder: Path, make_lock: MakeLock
) -> None:
    def waiver(platform: str | None, expires: dt.date) -> Waiver:
        position = Position(file=Path("m.yaml"), line=1, column=1)
        return Waiver(
            check="smoke/*", platform=platform, reason="r", author="a", expires=expires, position=position
        )

    today = dt.date(2026, 11, 22)
    good = waiver(None, today)
    manifest = replace(
        _manifest(), waivers=(good, waiver("win-64", today), waiver(None, dt.date(2026, 11, 21)))
    )
    assert build_plan(
        manifest, make_lock(), read_suite_files(suites_folder, manifest.suites), {}, today=today
    ).waivers == (good,)


@pytest.mark.parametrize("name", ["../interop", "a/b", "", "."])
def test_a_suite_stays_in_its_folder(name: str, suites_folder: Path, make_lock: MakeLock) -> None:
    with pytest.raises(UsageError, match="name of a suite"):
        read_suite_files(suites_folder, [name])
