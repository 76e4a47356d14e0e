"""What is said, and which exit code is given, where a format was not made; which installer tests run with."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from cuvee.cli import installers
from cuvee.cli.main import run
from cuvee.errors import CuveeError, TooLargeError, ToolMissingError, UsageError
from cuvee.integration.model import Plan
from cuvee.integration.platform_run import run_platform
from cuvee.progress import SILENT
from cuvee.release.artefacts import Artefact, ArtefactKind, NotMade
from cuvee.release.test_stage import installer_to_test

TOOL = ToolMissingError("The program wixl is not installed", hint="apt-get install wixl")
LARGE = TooLargeError("The .msi would hold an .exe of 3.0 GiB", hint="Leave msi out")
NUMBER = UsageError("3.1rc1 can not be the number of an .msi")


def artefact(name: str, error: CuveeError | None = None) -> Artefact:
    return Artefact(
        path=f"installers/{name}",
        kind=ArtefactKind.INSTALLER,
        format=name.rpartition(".")[2],
        not_made=None if error is None else NotMade.because_of(error),
    )


@pytest.mark.parametrize(
    ("errors", "code"), [((), 0), ((LARGE,), 1), ((NUMBER,), 2), ((TOOL,), 3), ((LARGE, TOOL), 3)]
)
def test_the_exit_code_says_why_a_format_is_missing(
    errors: tuple[CuveeError, ...], code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = SimpleNamespace(platform="win-64", warnings=(), name="tiny", version="1")
    lock = SimpleNamespace(platform="win-64", packages=())
    artefacts = (
        artefact("a.exe"),
        *(artefact(f"{number}.msi", error) for number, error in enumerate(errors)),
    )
    result = SimpleNamespace(project=project, lock=lock, artefacts=artefacts, outputs=())
    monkeypatch.setattr("cuvee.installers.constructor.project_reader.read_project", lambda *_, **__: project)
    monkeypatch.setattr(installers, "_convert", lambda *_, **__: result)
    cache = ["--cache", str(tmp_path)]
    assert run(["installers", "--from", str(tmp_path), "--platform", "win-64", "--quiet", *cache]) == code


def test_only_a_missing_tool_is_one_of_this_host() -> None:
    found = [NotMade.because_of(error) for error in (TOOL, LARGE, NUMBER)]
    assert [missing.only_here for missing in found] == [True, False, False]
    assert dataclasses.astuple(found[0]) == (TOOL.message, TOOL.hint, 3, False, False)


@pytest.mark.parametrize(
    ("names", "tested"),
    [
        (["a.exe", "a.msi"], "a.exe"),
        (["a.pkg", "a.sh"], "a.sh"),
        (["a.sh"], "a.sh"),
        (["a.msi"], None),
        ([], None),
    ],
)
def test_tests_install_with_what_a_runner_can_start(names: list[str], tested: str | None) -> None:
    found, why = installer_to_test([artefact(name) for name in names])
    assert (found and found.name) == tested
    assert bool(why) == (tested is None)
    assert all(name in why for name in names if tested is None)


def test_an_msi_alone_is_not_run_and_the_reason_is_told(tmp_path: Path) -> None:
    plan = Plan(platform="win-64", packages=())
    _, why = installer_to_test([artefact("a.msi")])
    done = run_platform(plan, installer=None, runner=None, results=tmp_path, reporter=SILENT, without=why)
    assert done.not_run == why == "tests install with a .sh or an .exe, and only a.msi was made"
