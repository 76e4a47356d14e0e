import datetime as dt
from pathlib import Path

import pytest

from cuvee.errors import UsageError
from cuvee.integration.accepted_tests import read_known_failures, read_quarantine
from cuvee.integration.model import KnownFailure, PytestTarget, QuarantinedTest, missing_reason
from cuvee.integration.suite_files import (
    read_command_rules,
    read_suite,
)

FILE = '''
"""Never imported: it would fail."""
import a_package_that_does_not_exist
import pytest

pytestmark = [pytest.mark.packages("pandas"), pytest.mark.slow]

@pytest.mark.packages("sqlalchemy", "numpy")
def test_sql(): ...

async def test_plain(): ...

def helper(): ...

class TestGroup:
    @pytest.mark.packages("lxml")
    def test_in_class(self): ...

class Helper:
    def test_not_this(self): ...
'''


def test_tests_and_their_packages_are_read_without_an_import(suites_folder: Path) -> None:
    (suites_folder / "interop" / "test_one.py").write_text(FILE)
    (suites_folder / "interop" / "helper.py").write_text("def test_no(): ...")
    suite = read_suite(suites_folder, "interop").for_packages(
        {"pytest", "pandas", "sqlalchemy", "numpy-base"}
    )
    (target,) = suite.targets
    assert isinstance(target, PytestTarget)
    assert target.file == "test_one.py"
    assert [(test.test, test.packages, test.unsupported) for test in target.tests] == [
        ("test_one.py::test_sql", ("pandas", "sqlalchemy", "numpy"), ""),
        ("test_one.py::test_plain", ("pandas",), ""),
        ("test_one.py::TestGroup::test_in_class", ("pandas", "lxml"), "the release has no lxml"),
    ]
    assert target.supported


def test_without_pytest_nothing_is_supported(suites_folder: Path) -> None:
    (suites_folder / "interop" / "test_one.py").write_text("def test_a(): ...")
    (target,) = read_suite(suites_folder, "interop").for_packages({"python"}).targets
    assert not target.supported
    assert target.tests[0].unsupported == "the release has no pytest"


def test_names_that_a_channel_splits_count() -> None:
    assert missing_reason(["matplotlib", "dask"], {"matplotlib-base", "dask-core"}) == ""
    assert missing_reason(["a", "b", "c"], {"b"}) == "the release has no a, c"


def test_chosen_modules_become_targets(suites_folder: Path) -> None:
    (suites_folder / "upstream.yaml").write_text(
        "- {package: numpy, modules: [numpy.linalg.tests.test_linalg],\n"
        "   needs: [hypothesis], arguments: [-k, solve]}\n"
    )
    (target,) = read_suite(suites_folder, "upstream").for_packages({"numpy", "pytest"}).targets
    assert isinstance(target, PytestTarget)
    assert target.modules == ("numpy.linalg.tests.test_linalg",)
    assert target.arguments == ("-k", "solve")
    assert [(test.test, test.package, test.unsupported) for test in target.tests] == [
        ("numpy/linalg/tests/test_linalg.py", "numpy", "the release has no hypothesis")
    ]


def test_a_missing_suite_and_a_broken_file_are_named(suites_folder: Path) -> None:
    with pytest.raises(UsageError, match="no suite 'performance'"):
        read_suite(suites_folder, "performance")
    (suites_folder / "interop" / "test_bad.py").write_text("def test_(:")
    with pytest.raises(UsageError, match=r"test_bad\.py is not Python"):
        read_suite(suites_folder, "interop")


def test_quarantine_has_an_owner_and_ends_on_its_day(tmp_path: Path) -> None:
    path = tmp_path / "quarantine.yaml"
    assert read_quarantine(path) == ()
    path.write_text(
        '- {suite: interop, test: "test_a.py::*", platforms: [win-64], owner: core, reason: its clock,'
        " until: 2026-12-31}\n"
    )
    (item,) = read_quarantine(path, ("core",))
    assert item == QuarantinedTest(
        suite="interop",
        test="test_a.py::*",
        platforms=("win-64",),
        owner="core",
        reason="its clock",
        until=dt.date(2026, 12, 31),
    )
    assert item.holds_on(dt.date(2026, 12, 31))
    assert not item.holds_on(dt.date(2027, 1, 1))
    assert item.covers("interop", "test_a.py::test_x[1]", "win-64")
    assert not item.covers("interop", "test_a.py::test_x[1]", "linux-64")


def test_known_failures_end_on_their_day(tmp_path: Path) -> None:
    path = tmp_path / "known-failures.yaml"
    path.write_text(
        "- {suite: interop, test: 'test_a.py::*', reason: r,\n"
        "   platforms: [win-64], link: l, until: 2026-12-31}\n"
    )
    (known,) = read_known_failures(path)
    assert known.holds_on(dt.date(2026, 12, 31))
    assert not known.holds_on(dt.date(2027, 1, 1))
    assert known.holds_on(None)
    assert known == KnownFailure(
        suite="interop",
        test="test_a.py::*",
        reason="r",
        platforms=("win-64",),
        link="l",
        until=dt.date(2026, 12, 31),
    )
    assert known.covers("interop", "test_a.py::test_x[1]", "win-64")
    assert not known.covers("interop", "test_a.py::test_x", "linux-64")
    assert not known.covers("smoke", "test_a.py::test_x", "win-64")


def test_a_name_with_brackets_is_a_name_before_it_is_a_pattern() -> None:
    assert KnownFailure(suite="*", test="t.py::test[a-b]", reason="r").covers(
        "s", "t.py::test[a-b]", "linux-64"
    )


def test_command_rules_are_read(tmp_path: Path) -> None:
    path = tmp_path / "smoke.yaml"
    path.write_text(
        "- {command: 'pyft*', arguments: [], exit-codes: [1], says: usage, reason: odd}\n"
        "- {command: x, skip: why}\n"
    )
    first, second = read_command_rules(path)
    assert first.arguments == ()
    assert first.accepts(1, "the usage is")
    assert not first.accepts(1, "Traceback")
    assert not first.accepts(0, "usage")
    assert (second.arguments, second.skip) == (None, "why")
    assert read_command_rules(tmp_path / "none.yaml") == ()


def test_our_own_suites_can_be_read() -> None:
    folder = Path(__file__).parents[2] / "integration_tests"
    interop = read_suite(folder, "interop").for_packages({"pytest"})
    assert sum(len(target.tests) for target in interop.targets) >= 16
    assert all(test.packages for target in interop.targets for test in target.tests)
    assert read_suite(folder, "upstream").for_packages({"pytest"}).targets
    assert read_command_rules(folder / "smoke.yaml")
    read_known_failures(folder / "known-failures.yaml")
