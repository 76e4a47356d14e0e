"""Folders of suites: every kind is read into one model."""

from pathlib import Path

import pytest

from cuvee.errors import DocumentError
from cuvee.integration.model import CommandTarget, NotebookTarget, PlannedSuite, PytestTarget, SuiteKind
from cuvee.integration.suite_files import read_suite, read_suite_files


@pytest.fixture
def folder(suites_folder: Path) -> Path:
    return suites_folder / "interop"


def read(folder: Path, text: str) -> PlannedSuite:
    (folder / "suite.yaml").write_text(text)
    return read_suite(folder.parent, folder.name)


def test_a_folder_without_a_file_is_of_pytest(folder: Path) -> None:
    (folder / "test_a.py").write_text("def test_a(): ...")
    suite = read_suite(folder.parent, "interop")
    assert (suite.kind, suite.owner, suite.timeout) == (SuiteKind.PYTEST, "", None)
    assert [target.name for target in suite.targets] == ["test_a.py"]


def test_what_a_file_says_holds_for_all_tests(folder: Path) -> None:
    (folder / "test_a.py").write_text("def test_a(): ...")
    suite = read(
        folder,
        "{title: Tables, owner: data, needs: [pandas], platforms: [win-64], timeout: 7, memory: 1 GiB,"
        " network: yes}",
    )
    assert (suite.title, suite.owner, suite.timeout, suite.memory) == ("Tables", "data", 7, 2**30)
    assert suite.network
    (test,) = suite.targets[0].tests
    assert (test.needs, test.packages) == (("pytest", "pandas"), ("pandas",))
    here = suite.for_packages({"pytest"}, "win-64")
    assert here.targets[0].tests[0].unsupported == "the release has no pandas"
    elsewhere = suite.for_packages({"pytest", "pandas"}, "linux-64")
    assert elsewhere.targets[0].tests[0].unsupported == "the suite is for win-64"


def test_commands_are_targets(folder: Path) -> None:
    (folder / "check.py").write_text("")
    suite = read(
        folder,
        "kind: command\ncommands:\n"
        "- {program: sqlite3, arguments: [-x], exit-codes: [1], packages: [sqlite]}\n"
        "- {script: check.py, name: second, junit: out.xml}\n",
    )
    first, second = suite.targets
    assert isinstance(first, CommandTarget)
    assert (first.program, first.arguments, first.exit_codes) == ("sqlite3", ("-x",), (1,))
    assert (first.tests[0].test, first.tests[0].needs) == ("sqlite3", ("python", "sqlite"))
    assert isinstance(second, CommandTarget)
    assert (second.name, second.program, second.script, second.junit) == (
        "second",
        "python",
        "check.py",
        "out.xml",
    )


def test_notebooks_are_found_but_not_checkpoints(folder: Path) -> None:
    for name in ("b.ipynb", "deep/a.ipynb", ".ipynb_checkpoints/b-checkpoint.ipynb"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{}")
    suite = read(folder, "{kind: notebook, compare: true}")
    assert [target.name for target in suite.targets] == ["b.ipynb", "deep/a.ipynb"]
    assert all(isinstance(target, NotebookTarget) and target.compare for target in suite.targets)
    lacking = suite.for_packages({"nbclient", "nbformat"}).targets[0].tests[0].unsupported
    assert lacking == "the release has no ipykernel"


def test_shipped_tests_may_be_listed_in_a_folder(folder: Path) -> None:
    suite = read(folder, "kind: upstream\ntests:\n- {package: toolz, modules: [toolz.tests.test_a]}\n")
    (target,) = suite.targets
    assert isinstance(target, PytestTarget)
    assert target.modules == ("toolz.tests.test_a",)


def test_the_problems_of_all_files_come_together(folder: Path) -> None:
    (folder / "suite.yaml").write_text("{owner: date, kind: pytests}")
    (folder.parent / "known-failures.yaml").write_text("- {suite: interop}")
    with pytest.raises(DocumentError) as caught:
        read_suite_files(folder.parent, ["interop"], ["data"])
    assert 'the manifest has no owner "date"' in caught.value.message
    assert 'did you mean "data"?' in caught.value.message
    assert 'did you mean "pytest"?' in caught.value.message
    assert 'lacks the key "test"' in caught.value.message
