"""What packages say of their tests is hostile until it is read."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.integration.carried_tests import (
    NEEDS_FILE,
    RATTLER_FILE,
    RECIPE_FILE,
    ContentsTest,
    DownstreamTest,
    ImportsTest,
    ScriptTest,
    SectionGlobs,
    carried_tests,
)
from cuvee.integration.package_contents import contents_problems, expanded, section_patterns
from cuvee.integration.suite_files import read_suite
from cuvee.platforms import get


def rattler(text: str) -> dict[str, bytes]:
    return {RATTLER_FILE: text.encode()}


def test_what_rattler_build_writes() -> None:
    text = """
- python: {imports: [numpy, numpy.linalg], pip_check: false, python_version: ['3.11', '3.12']}
- script: {content: [a, b], interpreter: nu, env: {X: 1}, cwd: etc/conda/test-files/numpy/1}
  requirements: {run: [pytest, "cmake >=3"], build: [make]}
- script: echo
- script: {file: run.py}
- r: {libraries: [dplyr]}
- ruby: {requires: [set]}
- downstream: pandas >=2
"""
    first, second, third, fourth, r, ruby, last = carried_tests(rattler(text), windows=False)
    assert first == ImportsTest(
        name="python", imports=("numpy", "numpy.linalg"), pip_check=False, pythons=("3.11", "3.12")
    )
    assert second == ScriptTest(
        name="script",
        lines=("a", "b"),
        interpreter="nu",
        environment={"X": "1"},
        cwd="etc/conda/test-files/numpy/1",
        requires=("pytest", "cmake >=3", "make"),
    )
    assert third == ScriptTest(name="script-2", lines=("echo",))
    assert fourth == ScriptTest(name="script-3", file="run.py")
    assert r == ScriptTest(name="r", lines=("library(dplyr)",), interpreter="rscript")
    assert ruby == ScriptTest(name="ruby", lines=("require 'set'",), interpreter="ruby")
    assert last == DownstreamTest(name="downstream:pandas", spec="pandas >=2")


@pytest.mark.parametrize(("windows", "shell"), [(False, "run_test.sh"), (True, "run_test.bat")])
def test_what_conda_build_writes(windows: bool, shell: str) -> None:
    files = {f"test/run_test.{ending}": b"" for ending in ("py", "sh", "bat", "pl")}
    files[NEEDS_FILE] = b'["pytest", "mock >=1"]'
    found = carried_tests(files, windows=windows)
    assert [test.name for test in found] == ["run_test.py", shell, "run_test.pl"]
    assert {test.requires for test in found} == {("pytest", "mock >=1")}
    # The recipe says the same once more.
    files[RECIPE_FILE] = b"test: {imports: [x]}"
    assert carried_tests(files, windows=windows) == found


def test_a_recipe_is_read_only_if_it_became_nothing() -> None:
    text = b"test: {imports: [x], commands: [x --help], requires: [pip]}"
    assert carried_tests({RECIPE_FILE: text}, windows=False) == (
        ImportsTest(name="imports", imports=("x",), pip_check=False, requires=("pip",)),
        ScriptTest(name="commands", lines=("x --help",), requires=("pip",)),
    )
    assert carried_tests({RECIPE_FILE: b"{% set x = 1 %}"}, windows=False) == ()


@pytest.mark.parametrize(
    "text",
    ["- [", "[" * 5000, "- {python: &a [*a]}\n- 3", "x: " + "y" * (1 << 20), "\0", "- !!python/object:x {}"],
)
def test_what_cannot_be_read_is_said(text: str) -> None:
    found = carried_tests(rattler(text), windows=False)
    assert any(test.broken or test.unsupported for test in found)


def test_so_many_tests_are_not_run() -> None:
    (test,) = carried_tests(rattler("- {script: x}\n" * 201), windows=False)
    assert test.broken == "it carries 201 tests"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "python",
                        "script",
                        "content",
                        "env",
                        "package_contents",
                        "files",
                        "r",
                        "requirements",
                        "run",
                    ]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=12,
    )
)
def test_nothing_that_a_package_says_stops_the_plan(value: object) -> None:
    found = carried_tests(rattler(json.dumps(value)), windows=False)
    names = [test.name for test in found]
    assert len(names) == len(set(names))
    assert len(found) >= (len(value) if isinstance(value, list) else value is not None)


def test_contents_in_both_forms() -> None:
    text = "- package_contents: {files: [a], bin: {exists: [b], not_exists: [c]}, lib: {include: [d]}"
    text += ", strict: true}"
    (test,) = carried_tests(rattler(text), windows=False)
    assert isinstance(test, ContentsTest)
    assert test.strict
    assert [item for item in test.sections if item.exists or item.absent] == [
        SectionGlobs(section="bin", exists=("b",), absent=("c",)),
        SectionGlobs(section="lib", exists=("d",)),
        SectionGlobs(section="files", exists=("a",)),
    ]


def test_where_sections_look() -> None:
    linux, mac, windows = get("linux-64"), get("osx-arm64"), get("win-64")

    def patterns(section: str, stated: str, platform: object = linux, *, noarch: bool = False) -> list[str]:
        found = section_patterns(section, stated, platform, noarch_python=noarch)  # type: ignore[arg-type]
        return [pattern for group in found for pattern in group]

    assert patterns("lib", "x") == ["lib/{,lib}x.so", "lib/{,lib}x.so.*"]
    assert patterns("lib", "libx.so.3") == ["lib/libx.so.3"]
    assert patterns("lib", "x", mac) == ["lib/{,lib}x.dylib", "lib/{,lib}x.*.dylib"]
    assert patterns("lib", "x", windows) == ["Library/bin/x.dll", "Library/lib/x.lib"]
    assert patterns("include", "x.h", windows) == ["Library/include/x.h"]
    assert "Scripts/x{,.exe,.bat,.cmd,.com,.ps1}" in patterns("bin", "x", windows)
    assert patterns("site_packages", "a.b", noarch=True) == [
        "site-packages/a/b.py",
        "site-packages/a/b/__init__.py",
    ]
    assert patterns("site_packages", "a") == [
        "lib/python*/site-packages/a.py",
        "lib/python*/site-packages/a/__init__.py",
    ]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("include/**/a.h", "include/a.h", True),
        ("include/**/a.h", "include/x/y/a.h", True),
        ("*.txt", "share/deep/a.txt", True),  # as rattler-build's do
        ("share/{a,b{c,d}}", "share/bd", True),
        ("share/{a,b}", "share/ab", False),
        ("lib/[^x].so", "lib/y.so", True),
        ("lib/[!x].so", "lib/x.so", False),
        ("a?c", "abc", True),
        ("A", "a", False),
    ],
)
def test_globs(pattern: str, path: str, *, fits: bool) -> None:
    test = ContentsTest(name="c", sections=(SectionGlobs(section="files", exists=(pattern,)),))
    problems = list(contents_problems(test, [path], get("linux-64"), noarch_python=False))
    assert problems == ([] if fits else [f"files: nothing matches {pattern}"])


def test_a_glob_of_a_package_costs_little() -> None:
    assert len(expanded("{a,b}" * 30)) < 600
    test = ContentsTest(name="c", sections=(SectionGlobs(section="files", exists=("*a" * 40 + "b",)),))
    assert list(contents_problems(test, ["a" * 5000], get("linux-64"), noarch_python=False))


def test_a_suite_may_be_about_some_packages(suites_folder: Path) -> None:
    (suites_folder / "interop" / "suite.yaml").write_text("{kind: packaged, packages: [numpy], needs: [pip]}")
    suite = read_suite(suites_folder, "interop")
    assert (suite.packages, suite.needs, suite.targets) == (("numpy",), ("pip",), ())
