from collections.abc import Mapping

import pytest
from packaging.markers import default_environment
from packaging.specifiers import SpecifierSet

from cuvee.channel.wheels.core_metadata import CoreMetadata, parse_metadata
from cuvee.channel.wheels.dependencies import ResolvedProjects, environment, python_spec
from cuvee.platforms import PLATFORMS


def project(name: str, *requires: str, version: str = "1.0") -> CoreMetadata:
    lines = "".join(f"Requires-Dist: {line}\n" for line in requires)
    return parse_metadata(f"Name: {name}\nVersion: {version}\n{lines}".encode(), where=name)


def resolved(*projects: CoreMetadata, platform: str = "linux-64", python: str = "3.11.7") -> ResolvedProjects:
    found: Mapping[str, CoreMetadata] = {one.name: one for one in projects}
    return ResolvedProjects(projects=found, environment=environment(platform, python))


def test_markers_are_those_of_the_target() -> None:
    app = project(
        "app",
        "Colorama>=0.4; sys_platform == 'win32'",
        "pexpect; os_name == 'posix'",
        "tomli; python_version < '3.11'",
        "backport; python_full_version < '3.11.4'",
        "arm; platform_machine == 'aarch64'",
        "pypy; platform_python_implementation == 'PyPy'",
        "optional; extra == 'more'",
    )
    assert resolved(app).depends("app") == ("pexpect",)
    assert resolved(app, platform="win-64").depends("app") == ("colorama >=0.4",)
    assert resolved(app, platform="linux-aarch64").depends("app") == ("arm", "pexpect")
    assert resolved(app, python="3.11.2").depends("app") == ("backport", "pexpect")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_marker_variable_is_set(platform: str) -> None:
    """Otherwise the value of the machine that runs cuvee would slip in."""
    assert environment(platform, "3.11.7").keys() == default_environment().keys()


def test_who_asks_for_an_extra_gets_its_dependencies() -> None:
    foo = project("foo", "base", "deep[x]>=2; extra == 'bar'", "unasked; extra == 'baz'")
    deep = project("deep", "own", "leaf<3; extra == 'x'", version="2.5")
    app = project("app", "foo[Bar]>=1")
    found = resolved(app, foo, deep)
    assert found.depends("app") == ("deep >=2", "foo >=1", "leaf <3a0")
    assert found.depends("foo") == ("base",)
    assert found.depends("foo", ("bar",)) == ("base", "deep >=2", "leaf <3a0")


def test_an_extra_that_names_other_extras_of_its_own_project() -> None:
    foo = project(
        "foo", "foo[a,b]; extra == 'all'", "x; extra == 'a'", "y; extra == 'b'", "foo[all]; extra == 'a'"
    )
    assert resolved(foo).depends("foo", ("all",)) == ("x", "y")


def test_extras_in_a_circle_end() -> None:
    one = project("one", "two[e]; extra == 'e'")
    two = project("two", "one[e]; extra == 'e'")
    assert resolved(one, two).depends("one", ("e",)) == ("two",)
    assert resolved(project("app", "one[e]"), one, two).depends("app") == ("one", "two")


def test_several_lines_for_one_project_are_joined() -> None:
    app = project("app", "numpy>=1.21", "numpy>=1.23; python_version >= '3.11'", "numpy<3")
    assert resolved(app).depends("app") == ("numpy >=1.21,>=1.23,<3a0",)


def test_a_local_version_that_was_chosen_is_admitted() -> None:
    app, torch = project("app", "torch==2.4"), project("torch", version="2.4+cpu")
    assert resolved(app, torch).depends("app") == ("torch ==2.4|==2.4+cpu",)


@pytest.mark.parametrize(
    ("requires", "minor", "expected"),
    [
        ("", None, "python"),
        (">=3.9", None, "python >=3.9"),
        (">=3.9,<4.0", None, "python >=3.9,<4a0"),
        (">=3.9", "3.11", "python >=3.11,<3.12.0a0"),
        (">=3.9,!=3.11.3", "3.11", "python >=3.11,<3.12.0a0,>=3.9,!=3.11.3"),
    ],
)
def test_requires_python(requires: str, minor: str | None, expected: str) -> None:
    assert python_spec(SpecifierSet(requires), minor) == expected
