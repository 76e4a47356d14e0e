"""Discovery of tests in a folder of pytest files.

They are found by reading their syntax, never by importing them: on a host that cannot run a platform, the
platform's tests still have names. A test says which packages it needs with
``@pytest.mark.packages("pandas", "sqlalchemy")``, or the whole file with ``pytestmark``.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

from cuvee.errors import UsageError
from cuvee.integration.model import PlannedTest, PytestTarget


def discover_targets(folder: Path, suite: str) -> tuple[PytestTarget, ...]:
    """Return a target for each file of a folder that has tests.

    Raises
    ------
    UsageError
        If a file is not Python.
    """
    files = sorted(path for path in folder.rglob("test_*.py") if path.is_file())
    targets = (_file_target(folder, path, suite) for path in files)
    return tuple(target for target in targets if target.tests)


def _file_target(folder: Path, path: Path, suite: str) -> PytestTarget:
    relative = path.relative_to(folder).as_posix()
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        raise UsageError(f"{path} is not Python: {error}", hint="Correct the file.") from error
    common = _packages_of_file(tree)
    tests = []
    for name, own in _tests(tree):
        needs = tuple(dict.fromkeys((*common, *own)))
        tests.append(
            PlannedTest(suite=suite, test=f"{relative}::{name}", packages=needs, needs=("pytest", *needs))
        )
    return PytestTarget(name=relative, file=relative, tests=tuple(tests))


def _tests(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in tree.body:
        if _is_test(node):
            yield node.name, _marked(node.decorator_list)
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for method in node.body:
                if _is_test(method):
                    marked = _marked([*node.decorator_list, *method.decorator_list])
                    yield f"{node.name}::{method.name}", marked


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
    """Return the arguments of each ``….packages("a", "b")`` among ``nodes``."""
    return [
        str(argument.value)
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "packages"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    ]
