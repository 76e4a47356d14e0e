"""The suites of this repository, read as cuvee reads them."""

import ast
from pathlib import Path

import pytest

from cuvee.integration.accepted_tests import read_known_failures
from cuvee.integration.model import PlannedTest
from cuvee.integration.pytest_discovery import discover_targets

SUITES = Path(__file__).parents[2] / "integration_tests"


def planned(suite: str) -> list[PlannedTest]:
    return [test for target in discover_targets(SUITES / suite, suite) for test in target.tests]


def test_sixty_tests_cross_packages() -> None:
    tests = planned("interop")
    crossing = [test for test in tests if len(set(test.packages)) > 1]
    assert len(crossing) >= 60
    # What stands by itself reads what an older release of the same package wrote.
    assert [test.test for test in tests if test not in crossing] == [
        "test_stored_objects.py::test_an_array_that_numpy_1_pickled_is_read"
    ]


@pytest.mark.parametrize("path", sorted(SUITES.glob("*/test_*.py")), ids=lambda path: str(path.name))
def test_every_test_asserts_something(path: Path) -> None:
    """A test that has no `assert` and expects no error cannot fail for an incompatibility."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert any(
                isinstance(part, ast.Assert)
                or (isinstance(part, ast.Call) and "assert_" in ast.unparse(part.func))
                or (isinstance(part, ast.Attribute) and part.attr == "raises")
                for part in ast.walk(node)
            ), node.name


@pytest.mark.parametrize("suite", [path.name for path in sorted(SUITES.iterdir()) if path.is_dir()])
def test_every_test_names_conda_packages(suite: str) -> None:
    for test in planned(suite):
        assert test.packages, test.test
        assert all(name == name.lower() and "_" not in name for name in test.packages), test.test


def test_faults_of_runners_are_of_tests_that_exist() -> None:
    for known in read_known_failures(SUITES / "known-failures.yaml"):
        if known.runners:
            assert known.test in {test.test for test in planned(known.suite)}
