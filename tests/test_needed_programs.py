"""What tests need is listed once, and what was skipped is said with the way to get it."""

import ast

import pytest

from needed_programs import missing, packages, skipped_lines
from python_sources import ROOT, python_files

ELSEWHERE = {
    "actionlint",
    "apt-config",
    "apt-get",
    "bash",
    "conda",
    "conda-build",
    "constructor",
    "dash",
    "dpkg-deb",
    "llvm-objdump",
    "msidump",
    "msiinfo",
    "wineserver",
    "no-such-program",
    "prlimit",
    "setpriv",
    "tar",
    "unshare",
}
"""Those of every Debian system, of another package in the list, or that no package has."""


def test_each_program_that_tests_ask_for_has_its_package() -> None:
    asked = {
        argument.value
        for path in python_files(ROOT / "tests")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"need", "needed", "missing"}
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    assert "makensis" in asked
    assert asked - ELSEWHERE <= packages().keys()


def test_a_missing_program_is_said_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert missing("wine") == "needs wine: apt-get install wine wine64"
    assert missing("no-such-program") == "needs no-such-program"
    assert missing() == ""


def test_skips_are_counted_by_what_they_need() -> None:
    assert skipped_lines(["Skipped: needs root", "Skipped: needs wine", "Skipped: needs wine"]) == [
        "    2  needs wine",
        "    1  needs root",
    ]
