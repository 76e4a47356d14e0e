"""The files of ``integration_tests/``: suites, rules for commands, accepted failures."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cuvee.errors import CuveeError, DocumentError, UsageError
from cuvee.integration.accepted_tests import (
    OTHER_FILES,
    file_entries,
    pattern_type,
    read_known_failures,
    read_quarantine,
)
from cuvee.integration.model import (
    SMOKE,
    CommandRule,
    KnownFailure,
    PlannedSuite,
    QuarantinedTest,
    SuiteKind,
)
from cuvee.integration.suite_folders import SUITE_FILE, read_suite_folder, shipped_target
from cuvee.integration.suite_schemas import ARGUMENTS, EXIT_CODES, PAGE, SHIPPED_TESTS
from cuvee.manifest.documents.schema_types import (
    DocumentSchema,
    ListType,
    Property,
    RecordType,
)
from cuvee.manifest.documents.suggestions import did_you_mean
from cuvee.manifest.documents.validated_tree import record_fields
from cuvee.manifest.scalar_types import prose_type

T = TypeVar("T")


COMMAND_RULES = DocumentSchema(
    name="smoke",
    noun="the list of rules",
    summary="How the smoke suite starts commands that answer neither `--help` nor `--version`.",
    page=PAGE,
    content=ListType(
        noun="a list of rules", example="[{command: jlpm, skip: it starts Node.js}]", unique=False,
        item=RecordType(
            noun="a rule", example="{command: jlpm, skip: it starts Node.js}",
            keys=(
                Property(name="command", required=True, example="jupyter-*", type=pattern_type("jupyter-*"),
                    summary="The command's name, or a glob pattern."),
                Property(name="arguments", example="[]", type=ARGUMENTS,
                    default_text="`--help`, then `--version`", summary="What it is started with."),
                Property(name="exit-codes", default=[0], example="[1]",
                    summary="The exit codes that count as an answer.",
                    type=EXIT_CODES),
                Property(name="says", example='"--input-file"', type=prose_type("a text", "usage:"),
                    summary="A text that an answer must hold."),
                Property(name="skip", example="it starts Node.js", type=prose_type("a reason",
                    "it starts Node.js"),
                    summary="Why the command is not started at all."),
                Property(name="reason", example="it prints its usage without arguments",
                    type=prose_type("a reason", "it prints its usage"), summary="Why the rule exists."),
            ),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFiles:
    """What the files of ``integration_tests/`` say, whatever packages and platforms a release has.

    ``suites`` are those that the manifest names, in its order, without `smoke`; ``known_failures`` and
    ``quarantine`` include those whose last day is over.
    """

    suites: tuple[PlannedSuite, ...] = ()
    command_rules: tuple[CommandRule, ...] = ()
    known_failures: tuple[KnownFailure, ...] = ()
    quarantine: tuple[QuarantinedTest, ...] = ()


def read_suite_files(
    folder: Path, names: Collection[str], owners: Collection[str] | None = None
) -> SuiteFiles:
    """Return the content of the folder ``integration_tests`` as far as the suites ``names`` need it.

    ``owners`` are those who may own a suite or a quarantined test; `None` is anybody.

    Raises
    ------
    UsageError
        If a suite does not exist or is not Python.
    DocumentError
        With every problem of all files.
    """
    errors: list[CuveeError] = []

    def collected(read: Callable[[], tuple[T, ...]]) -> tuple[T, ...]:
        try:
            return read()
        except (DocumentError, UsageError) as error:
            errors.append(error)
            return ()

    files = SuiteFiles(
        suites=tuple(
            suite
            for name in names
            if name != SMOKE
            for suite in collected(lambda name=name: (read_suite(folder, name, owners),))  # type: ignore[misc]
        ),
        command_rules=collected(lambda: read_command_rules(folder / "smoke.yaml")),
        known_failures=collected(lambda: read_known_failures(folder / "known-failures.yaml")),
        quarantine=collected(lambda: read_quarantine(folder / "quarantine.yaml", owners)),
    )
    if len(errors) > 1:
        raise type(errors[0])("\n\n".join(error.message for error in errors), hint=errors[0].hint)
    if errors:
        raise errors[0]
    return files


def read_suite(folder: Path, name: str, owners: Collection[str] | None = None) -> PlannedSuite:
    """Return the suite ``name``: a folder, or a YAML file that chooses tests of packages.

    Raises
    ------
    UsageError, DocumentError
        If there is no such suite, or it cannot be read.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"{name!r} cannot be the name of a suite", hint="Use letters, digits, - and _.")
    own, chosen = folder / name, folder / f"{name}.yaml"
    if own.is_dir():
        return read_suite_folder(own, name, owners)
    if chosen.is_file():
        entries = map(record_fields, file_entries(chosen, SHIPPED_TESTS))
        targets = tuple(shipped_target(name, **entry) for entry in entries)
        return PlannedSuite(name=name, kind=SuiteKind.UPSTREAM, targets=targets)
    known = [SMOKE, *sorted(_suites_in(folder))]
    likely = did_you_mean(name, known)
    raise UsageError(
        f"There is no suite {name!r} in {folder}",
        hint=f"{likely.capitalize()} Otherwise write {own / SUITE_FILE}."
        if likely
        else f"Write {own / SUITE_FILE} or {own}/test_….py, or name one of: {', '.join(known)}.",
    )


def _suites_in(folder: Path) -> Iterator[str]:
    """Yield the suites of a folder: folders with their files, and lists of tests of packages."""
    for path in folder.glob("*"):
        if (path / SUITE_FILE).is_file() or any(path.rglob("test_*.py")):
            yield path.name
        elif path.suffix == ".yaml" and path.stem not in OTHER_FILES:
            yield path.stem


def read_command_rules(path: Path) -> tuple[CommandRule, ...]:
    """Return the rules of ``smoke.yaml``; none without such a file."""
    rules = (record_fields(entry) for entry in file_entries(path, COMMAND_RULES))
    return tuple(
        CommandRule(**{name: value for name, value in rule.items() if name != "reason"}) for rule in rules
    )
