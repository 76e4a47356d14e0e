from pathlib import Path

import pytest
from packaging.version import Version

from cuvee.integration.installation_tests import INSTALL_SECONDS
from cuvee.integration.installed_environment import InstalledDistribution, InstalledEnvironment
from cuvee.integration.model import PackagePlan, Plan
from cuvee.integration.outcomes import OutcomeState
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Command, Sandbox
from cuvee.integration.smoke import describe, jobs, metadata_problems, same_version
from cuvee.integration.test_session import TestSession
from cuvee.process import Completed, Request

MARKERS = {
    "python_version": "3.11",
    "python_full_version": "3.11.7",
    "sys_platform": "linux",
    "os_name": "posix",
}


def environment(*found: InstalledDistribution) -> InstalledEnvironment:
    return InstalledEnvironment(prefix="/p", base_prefix="/p", path=(), markers=MARKERS, distributions=found)


def _problems(
    requires: tuple[str, ...] = (), version: str = "1.0", missing: tuple[str, ...] = ()
) -> list[str]:
    found = {
        "tool": InstalledDistribution(name="Tool", version="1.0", requires=requires, missing=missing),
        "my-dep": InstalledDistribution(name="my_dep", version="2.0rc1"),
    }
    package = PackagePlan(name="tool", version=version, distributions=("tool",))
    return list(metadata_problems(package, environment(*found.values())))


@pytest.mark.parametrize(
    "requires",
    [
        (),
        ("My.Dep>=1",),
        ("my_dep",),
        ("other; extra == 'docs'",),
        ("other; sys_platform == 'win32'",),
        ("my-dep[fast]>=1; python_version >= '3.9'",),
        ("my-dep (>=1<3)",),
        ("my-dep >1.*, !=3.0*",),
    ],
)
def test_consistent_metadata(requires: tuple[str, ...]) -> None:
    assert _problems(requires) == []


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ("other", "tool requires other, which is not installed"),
        ("my-dep>=2.0", "tool requires my-dep>=2.0, but 2.0rc1 is installed"),
        (
            "other; sys_platform == 'linux'",
            "tool requires other; sys_platform == 'linux', which is not installed",
        ),
        ("my dep >>= 1", "tool requires 'my dep >>= 1', which cannot be parsed"),
    ],
)
def test_unsatisfied_requirements(requires: str, expected: str) -> None:
    (problem,) = _problems((requires,))
    assert problem.startswith(expected)


def test_what_is_installed_is_what_is_locked() -> None:
    assert _problems(version="1.1") == ["tool says it is 1.0, but 1.1 is locked"]
    assert _problems(missing=tuple("abcdefg")) == ["7 files of tool are missing: a, b, c, d, e"]
    package = PackagePlan(name="gone", version="1", distributions=("gone",))
    assert list(metadata_problems(package, environment())) == ["the distribution gone is not installed"]


@pytest.mark.parametrize(
    ("python", "conda", "same"),
    [
        ("1.0", "1.0", True),
        ("1.0", "1", True),
        ("1.0rc1", "1.0rc1", True),
        ("1.0.post1", "1.0.post1", True),
        ("1.0.post1", "1.0_1", True),
        ("1!2.0", "1!2.0", True),
        ("2.0+cpu", "2.0+cpu", True),
        ("2.0", "2.0.1", False),
        ("1!2.0", "2.0", False),
        ("2024a", "2024a", True),
        ("2024-x", "2024_x", True),
        ("x-1", "x-2", False),
    ],
)
def test_versions_of_two_worlds(python: str, conda: str, same: bool) -> None:
    assert same_version(python, conda) is same


def test_one_post_release_is_spelled_in_two_ways() -> None:
    assert Version("1.0-1") == Version("1.0.post1")  # why `_` becomes `-` before it is read


@pytest.mark.parametrize(
    ("missing", "needs", "state"),
    [
        ("pytest", ("pytest",), OutcomeState.NOT_SUPPORTED),
        ("Some_Tool", ("some-tool",), OutcomeState.NOT_SUPPORTED),
        ("pytest", (), OutcomeState.FAIL),
        ("tool", ("tool",), OutcomeState.FAIL),
        ("other", ("pytest",), OutcomeState.FAIL),
    ],
)
def test_what_only_a_packages_own_tests_need_is_not_its_fault(
    missing: str, needs: tuple[str, ...], state: OutcomeState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object) -> Completed:
        text = f"tool.testing: ModuleNotFoundError: No module named '{missing}'\n"
        return Completed(request=Request(argv=("python",)), exit_code=1, stdout=text, stderr="", seconds=0.1)

    monkeypatch.setattr(TestSession, "run", answer)
    package = PackagePlan(name="tool", version="1.0", imports=("tool.testing",), test_needs=needs)
    session = TestSession(
        plan=Plan(platform="linux-64", packages=(package,)),
        runner=NativeRunner(),
        sandbox=Sandbox(platform="linux-64", prefix=tmp_path, home=tmp_path, temp=tmp_path),
        logs=tmp_path / "logs",
        work=tmp_path / "work",
        timeout=1,
    )
    (job,) = jobs(session, environment(InstalledDistribution(name="tool", version="1.0")))
    assert [outcome.state for outcome in job()] == [state]


def test_the_first_program_has_as_long_as_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Command] = []

    def answer(self: TestSession, command: Command) -> Completed:
        asked.append(command)
        return Completed(request=Request(argv=("python",)), exit_code=1, stdout="", stderr="", seconds=0.1)

    monkeypatch.setattr(TestSession, "run", answer)
    for timeout in (1.0, 2 * INSTALL_SECONDS):
        session = TestSession(
            plan=Plan(platform="win-64", packages=()),
            runner=NativeRunner(),
            sandbox=Sandbox(platform="win-64", prefix=tmp_path, home=tmp_path, temp=tmp_path),
            logs=tmp_path / "logs",
            work=tmp_path / f"work-{timeout}",
            timeout=timeout,
        )
        assert describe(session)[1] is None
    assert [command.timeout for command in asked] == [INSTALL_SECONDS, 2 * INSTALL_SECONDS]
