"""Reading the folder of one suite: its ``suite.yaml``, and the tests in it."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from cuvee.integration.lifecycle_plan import lifecycle_target
from cuvee.integration.model import (
    CommandTarget,
    NotebookTarget,
    PlannedSuite,
    PlannedTest,
    PytestTarget,
    SuiteKind,
    Target,
)
from cuvee.integration.pytest_discovery import discover_targets
from cuvee.integration.suite_schemas import SUITE
from cuvee.manifest.documents.named_files import add_absent_file
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.suggestions import did_you_mean, listing, quote
from cuvee.manifest.documents.validated_tree import (
    MappingValue,
    ScalarValue,
    ValidatedValue,
    entry_at,
    items_at,
    record_fields,
    scalar_at,
)
from cuvee.manifest.documents.validation import read_document

SUITE_FILE = "suite.yaml"
_COMMON = (
    "title",
    "owner",
    "platforms",
    "timeout",
    "memory",
    "disk",
    "network",
    "needs",
    "tools",
    "packages",
)
_OF_KIND = {
    "tests": SuiteKind.UPSTREAM,
    "commands": SuiteKind.COMMAND,
    "compare": SuiteKind.NOTEBOOK,
    "packages": SuiteKind.PACKAGED,
}
_REQUIRED = {SuiteKind.UPSTREAM: "tests", SuiteKind.COMMAND: "commands"}
_FOR_NOTEBOOKS = ("nbclient", "nbformat", "ipykernel")
"""The packages that run notebooks: https://nbclient.readthedocs.io."""


def read_suite_folder(folder: Path, name: str, owners: Collection[str] | None = None) -> PlannedSuite:
    """Return the suite in a folder; without a ``suite.yaml`` its files are pytest's.

    Parameters
    ----------
    owners
        Who may own it; `None` is anybody.

    Raises
    ------
    DocumentError
        With every problem of ``suite.yaml``.
    UsageError
        If a file of pytest is not Python.
    """
    path = folder / SUITE_FILE
    with Problems(path, SUITE) as problems:
        tree = read_document(path, problems)
        if isinstance(tree, MappingValue):
            _check_kind(tree, problems)
            _check_owner(scalar_at(tree, "owner"), owners, problems)
            _check_commands(folder, tree, problems)
    stated = record_fields(tree)
    common = {key: stated[key] for key in _COMMON if key in stated}
    suite = PlannedSuite(name=name, folder=folder, kind=stated.get("kind", SuiteKind.PYTEST), **common)
    commands, shipped = _records(tree, "commands"), _records(tree, "tests")
    make: dict[SuiteKind, Callable[[], tuple[Target, ...]]] = {
        SuiteKind.PYTEST: lambda: discover_targets(folder, name),
        SuiteKind.UPSTREAM: lambda: tuple(shipped_target(name, **entry) for entry in shipped),
        SuiteKind.COMMAND: lambda: tuple(_command_target(name, **entry) for entry in commands),
        SuiteKind.NOTEBOOK: lambda: tuple(_notebooks(folder, name, compare=stated.get("compare", False))),
        SuiteKind.LIFECYCLE: lambda: (lifecycle_target(name),),  # the plan adds those of earlier releases
        SuiteKind.PACKAGED: lambda: (),  # those of the release's packages: `packaged_plan` adds them
    }
    return replace(suite, targets=tuple(_with_needs(target, suite.needs) for target in make[suite.kind]()))


def _records(tree: ValidatedValue | None, key: str) -> tuple[dict[str, Any], ...]:
    """Return the fields of each record in a list."""
    return () if tree is None else tuple(map(record_fields, items_at(tree, key)))


def _check_kind(tree: MappingValue, problems: Problems) -> None:
    """Note keys that belong to another kind of suite, and the one that this kind lacks."""
    kind = scalar_at(tree, "kind")
    if kind is None and entry_at(tree, "kind") is not None:
        return
    own = kind.value if kind is not None else SuiteKind.PYTEST
    if not isinstance(own, SuiteKind):
        return
    for name, belongs in _OF_KIND.items():
        entry = entry_at(tree, name)
        if entry is not None and belongs is not own:
            problems.add(
                entry.key,
                f"{quote(name)} is a key of the kind {belongs.value}",
                advice=f"write kind: {belongs.value}" if kind is None else f"this suite is {own.value}",
            )
    required = _REQUIRED.get(own)
    if kind is not None and required and entry_at(tree, required) is None:
        problems.add(kind.span, f"a suite of the kind {own.value} needs the key {quote(required)}")


def _check_owner(owner: ScalarValue | None, owners: Collection[str] | None, problems: Problems) -> None:
    if owner is not None and owners is not None and owner.value not in owners:
        problems.add(
            owner.span,
            f"the manifest has no owner {quote(str(owner.value))}",
            advice=did_you_mean(str(owner.value), owners),
            expected=f"one of {listing(sorted(owners))}" if owners else "",
        )


def _check_commands(folder: Path, tree: MappingValue, problems: Problems) -> None:
    """Note commands that name no program or two, scripts that are not there, and names that repeat."""
    seen: dict[str, ScalarValue] = {}
    for item in items_at(tree, "commands"):
        if not isinstance(item, MappingValue):
            continue
        program, script = scalar_at(item, "program"), scalar_at(item, "script")
        if entry_at(item, "program") is None and entry_at(item, "script") is None:
            problems.add(item.span, "the command has no program", advice="add program: or script:")
        if program is not None and script is not None:
            problems.add(script.span, "a command has a program or a script, not both")
        if script is not None and not str(script.value).endswith(".py"):
            problems.add(script.span, "a script is a Python file", advice="its name ends with .py")
        elif script is not None and not (folder / str(script.value)).is_file():
            add_absent_file(folder, str(script.value), script, problems)
        name = scalar_at(item, "name") or program or script
        if name is not None and str(name.value) in seen:
            first = (seen[str(name.value)].span, "first stated here")
            problems.add(
                name.span, f"two commands are {quote(str(name.value))}", advice="add name:", related=first
            )
        elif name is not None:
            seen[str(name.value)] = name


def _with_needs(target: Target, needs: tuple[str, ...]) -> Target:
    """Return a target whose tests need more packages, and are about them if they name none."""
    tests = tuple(
        replace(
            test,
            needs=tuple(dict.fromkeys((*test.needs, *needs))),
            packages=test.packages or needs,
        )
        for test in target.tests
    )
    return replace(target, tests=tests)


def shipped_target(
    suite: str,
    *,
    package: str,
    modules: tuple[str, ...],
    needs: tuple[str, ...] = (),
    arguments: tuple[str, ...] = (),
) -> PytestTarget:
    """Return the target of test modules that a package ships."""
    tests = tuple(
        PlannedTest(
            suite=suite,
            test=module_file(module),
            package=package,
            packages=(package,),
            needs=(package, "pytest", *needs),
        )
        for module in modules
    )
    return PytestTarget(name=package, modules=modules, arguments=arguments, package=package, tests=tests)


def module_file(module: str) -> str:
    """Return the path of a test module below ``site-packages``."""
    return module.replace(".", "/") + ".py"


def _command_target(
    suite: str, *, name: str = "", packages: tuple[str, ...] = (), **entry: Any
) -> CommandTarget:
    name = name or entry.get("program") or entry["script"]
    test = PlannedTest(suite=suite, test=name, packages=packages, needs=("python", *packages))
    return CommandTarget(name=name, tests=(test,), **entry)


def _notebooks(folder: Path, suite: str, *, compare: bool) -> Iterator[NotebookTarget]:
    """Yield a target for each notebook of a folder, but those that editors keep as checkpoints."""
    for path in sorted(folder.rglob("*.ipynb")):
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            file = relative.as_posix()
            test = PlannedTest(suite=suite, test=file, needs=_FOR_NOTEBOOKS)
            yield NotebookTarget(name=file, file=file, compare=compare, tests=(test,))
