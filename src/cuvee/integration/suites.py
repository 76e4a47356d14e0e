"""Reading suites: a folder of pytest files, or a YAML file that chooses tests which packages ship.

A folder's tests are found by reading its syntax, never by importing it: on a host that can not run a
platform, the platform's tests still have names. A test says which packages it needs with
``@pytest.mark.packages("pandas", "sqlalchemy")``, or the whole file with ``pytestmark``.
"""

import ast
import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from cuvee.errors import UsageError
from cuvee.integration.model import CommandRule, KnownFailure, PlannedTest, PytestSuite, PytestTarget

_SPLIT_NAMES = ("", "-base", "-core")  # conda-forge's matplotlib-base is what we call matplotlib


def read_suite(folder: Path, name: str, packages: Collection[str]) -> PytestSuite:
    """Read the suite ``name`` from ``folder``, for a release of ``packages``.

    Raises
    ------
    UsageError
        If there is no such suite, or it can not be read.
    """
    own, chosen = folder / name, folder / f"{name}.yaml"
    if own.is_dir():
        files = sorted(path for path in own.rglob("test_*.py") if path.is_file())
        targets = tuple(_file_target(own, path, name, packages) for path in files)
        return PytestSuite(name=name, folder=own, targets=tuple(target for target in targets if target.tests))
    if chosen.is_file():
        entries = read_list(chosen, {"package", "modules"}, {"needs", "arguments"})
        return PytestSuite(
            name=name, targets=tuple(_module_target(entry, name, packages) for entry in entries)
        )
    known = sorted(
        {"smoke", *(path.stem for path in folder.glob("*") if path.is_dir() or path.stem == "upstream")}
    )
    raise UsageError(
        f"There is no suite {name!r} in {folder}",
        hint=f"Write {own}/test_….py or {chosen}, or name one of: {', '.join(known)}.",
    )


def missing_reason(needs: Collection[str], packages: Collection[str]) -> str:
    """Say which needed packages the release lacks; the empty text when it has all."""
    lacking = [name for name in needs if not any(name + suffix in packages for suffix in _SPLIT_NAMES)]
    return f"the release has no {', '.join(lacking)}" if lacking else ""


def read_command_rules(path: Path) -> tuple[CommandRule, ...]:
    """Read how commands that do not follow the custom are asked (``smoke.yaml``); no file, no rules."""
    return tuple(
        CommandRule(
            command=str(entry["command"]),
            arguments=tuple(map(str, entry["arguments"])) if "arguments" in entry else None,
            says=str(entry.get("says", "")),
            exit_codes=tuple(map(int, entry.get("exit-codes", (0,)))),
            skip=str(entry.get("skip", "")),
        )
        for entry in read_list(path, {"command"}, {"arguments", "exit-codes", "says", "skip", "reason"})
    )


def read_known_failures(path: Path, today: dt.date | None) -> tuple[KnownFailure, ...]:
    """Read the known failures that still hold ``today`` (``known-failures.yaml``); no file, none."""
    found = []
    for entry in read_list(path, {"suite", "test", "reason"}, {"platforms", "link", "until"}):
        until = entry.get("until")
        if until is not None and not isinstance(until, dt.date):
            raise UsageError(f"{path}: until: {until!r} is not a date", hint="Write it as 2027-01-31.")
        if until is None or today is None or today <= until:
            found.append(
                KnownFailure(
                    suite=str(entry["suite"]),
                    test=str(entry["test"]),
                    platforms=tuple(map(str, entry.get("platforms", ()))),
                    reason=str(entry["reason"]),
                    link=entry.get("link"),
                    until=until,
                )
            )
    return tuple(found)


def read_list(path: Path, required: set[str], optional: set[str]) -> list[Mapping[str, Any]]:
    """Read a YAML list of mappings with these keys and no others; a file that does not exist is empty."""
    if not path.is_file():
        return []
    try:
        value = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not YAML: {error}", hint="Mend the file.") from error
    if value is None:
        return []
    if not isinstance(value, list):
        raise UsageError(f"{path} must hold a list", hint=f"Each entry has: {', '.join(sorted(required))}.")
    for number, entry in enumerate(value, start=1):
        _check_entry(path, number, entry, required, optional)
    return value


def _check_entry(path: Path, number: int, entry: Any, required: set[str], optional: set[str]) -> None:
    if not isinstance(entry, dict):
        raise UsageError(f"{path}: entry {number} is not a mapping", hint=f"It needs {sorted(required)}.")
    wrong = [f"lacks {key!r}" for key in sorted(required - set(entry))]
    wrong += [
        f"has {key!r}, which means nothing" for key in sorted(map(str, set(entry) - required - optional))
    ]
    for key in ("modules", "needs", "arguments", "platforms", "exit-codes"):
        if key in entry and not isinstance(entry[key], list):
            wrong.append(f"has {key!r}, which must be a list")
    if wrong:
        keys = ", ".join(sorted(required | optional))
        raise UsageError(f"{path}: entry {number} {'; '.join(wrong)}", hint=f"Possible keys: {keys}.")


def _module_target(entry: Mapping[str, Any], suite: str, packages: Collection[str]) -> PytestTarget:
    package = str(entry["package"])
    needs = (package, "pytest", *map(str, entry.get("needs", ())))
    modules = tuple(map(str, entry["modules"]))
    unsupported = missing_reason(needs, packages)
    tests = tuple(
        PlannedTest(
            suite=suite,
            test=module_file(module),
            package=package,
            packages=(package,),
            unsupported=unsupported,
        )
        for module in modules
    )
    arguments = tuple(map(str, entry.get("arguments", ())))
    return PytestTarget(name=package, modules=modules, arguments=arguments, package=package, tests=tests)


def module_file(module: str) -> str:
    """Give the path of a test module below ``site-packages``."""
    return module.replace(".", "/") + ".py"


def _file_target(folder: Path, path: Path, suite: str, packages: Collection[str]) -> PytestTarget:
    relative = path.relative_to(folder).as_posix()
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{path} is not Python: {error}", hint="Mend the file.") from error
    common = _packages_of_file(tree)
    tests = []
    for name, own in _tests(tree):
        needs = tuple(dict.fromkeys((*common, *own)))
        tests.append(
            PlannedTest(
                suite=suite,
                test=f"{relative}::{name}",
                packages=needs,
                unsupported=missing_reason(("pytest", *needs), packages),
            )
        )
    return PytestTarget(name=relative, file=relative, tests=tuple(tests))


def _tests(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in tree.body:
        if _is_test(node):
            yield node.name, _marked(node.decorator_list)
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for method in node.body:
                if _is_test(method):
                    yield (
                        f"{node.name}::{method.name}",
                        _marked([*node.decorator_list, *method.decorator_list]),
                    )


def _is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")


def _packages_of_file(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
        ):
            marks = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
            return _marked(marks)
    return []


def _marked(nodes: list[ast.expr]) -> list[str]:
    """Collect the arguments of each ``….packages("a", "b")`` among ``nodes``."""
    return [
        str(argument.value)
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "packages"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    ]
