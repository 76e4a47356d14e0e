"""The files of tests whose failures do not block: ``known-failures.yaml`` and ``quarantine.yaml``."""

import fnmatch
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from cuvee.integration.model import SMOKE, KnownFailure, QuarantinedTest
from cuvee.integration.suite_schemas import PAGE
from cuvee.manifest.documents.named_files import names_in
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.schema_types import (
    DocumentSchema,
    ListType,
    Property,
    RecordType,
    ScalarType,
)
from cuvee.manifest.documents.suggestions import did_you_mean, listing, quote
from cuvee.manifest.documents.validated_tree import ListValue, ValidatedValue, record_fields, scalar_at
from cuvee.manifest.documents.validation import read_document
from cuvee.manifest.scalar_types import DATE, FLAG, PLATFORM_LIST, prose_type

OTHER_FILES = frozenset({"smoke", "known-failures", "quarantine"})
"""The names, without suffix, of files that do not describe a suite."""


def pattern_type(example: str) -> ScalarType:
    """Return the type of a name that may be a glob pattern."""
    return prose_type("a name or glob pattern", example)


KNOWN_FAILURES = DocumentSchema(
    name="known-failures",
    noun="the list of known failures",
    summary="Failing tests that are understood and accepted.",
    page=PAGE,
    content=ListType(
        noun="a list of known failures", example="[{suite: upstream, test: …, reason: …}]", unique=False,
        item=RecordType(
            noun="a known failure", example="{suite: upstream, test: …, reason: …}",
            keys=(
                Property(name="suite", required=True, example="upstream", type=pattern_type("upstream"),
                    summary="The suite, or a glob pattern."),
                Property(name="test", required=True, example='"test_tables.py::*"',
                    type=pattern_type("test_tables.py::*"),
                    summary="The test, or a glob pattern."),
                Property(name="platforms", example="[win-64]", default_text="all platforms",
                    summary="The platforms on which it fails.", type=PLATFORM_LIST),
                Property(name="runners", example="[wine]", default_text="all runners",
                    summary="The runners whose fault it is: there the test is not supported.",
                    type=ListType(noun="a list of runners", example="[wine]", at_least_one=True,
                        item=pattern_type("wine"))),
                Property(name="reason", required=True, example="fails on paths with a space",
                    type=prose_type("a reason", "fails on paths with a space"),
                        summary="Why it is accepted."),
                Property(name="link", example="https://example.org/issues/12",
                    type=prose_type("a link", "https://example.org/issues/12"),
                        summary="Where it is followed up."),
                Property(name="until", example="2027-01-31", type=DATE,
                    summary="The last day on which it is accepted."),
                Property(name="strict", default=False, example="true", type=FLAG,
                    summary="Whether a test that passes counts as failed."),
            ),
        ),
    ),
)  # fmt: skip

QUARANTINE = DocumentSchema(
    name="quarantine",
    noun="the list of quarantined tests",
    summary="Tests whose results do not count for a while.",
    page=PAGE,
    content=ListType(
        noun="a list of quarantined tests", unique=False,
        example="[{suite: interop, test: …, owner: core, reason: …, until: 2027-01-31}]",
        item=RecordType(
            noun="a quarantined test",
            example="{suite: interop, test: …, owner: core, reason: …, until: 2027-01-31}",
            keys=(
                Property(name="suite", required=True, example="interop", type=pattern_type("interop"),
                    summary="The suite, or a glob pattern."),
                Property(name="test", required=True, example='"test_clock.py::*"',
                    type=pattern_type("test_clock.py::*"),
                    summary="The test, or a glob pattern."),
                Property(name="platforms", example="[win-64]", default_text="all platforms",
                    summary="The platforms on which it is quarantined.", type=PLATFORM_LIST),
                Property(name="owner", required=True, example="core", type=prose_type("an owner", "core"),
                    summary="Who makes it reliable again: a name below `owners` in the manifest."),
                Property(name="reason", required=True, example="its clock goes backwards on busy machines",
                    type=prose_type("a reason", "its clock goes backwards on busy machines"),
                    summary="Why its results say nothing at present."),
                Property(name="link", example="https://example.org/issues/12",
                    type=prose_type("a link", "https://example.org/issues/12"),
                    summary="Where it is followed up."),
                Property(name="until", required=True, example="2027-01-31", type=DATE,
                    summary="The last day of the quarantine. From the next day on its results count."),
            ),
        ),
    ),
)  # fmt: skip


def read_known_failures(path: Path) -> tuple[KnownFailure, ...]:
    """Return the failures of ``known-failures.yaml``; none without such a file.

    A suite that is not beside the file is a problem, unless no suite is.
    """
    entries = file_entries(path, KNOWN_FAILURES, _check_suites)
    return tuple(KnownFailure(**record_fields(entry)) for entry in entries)


def read_quarantine(path: Path, owners: Collection[str] | None = None) -> tuple[QuarantinedTest, ...]:
    """Return the tests of ``quarantine.yaml``; none without such a file.

    A suite that is not beside the file is a problem, and an owner who is not one of ``owners``; `None` takes
    anybody.
    """

    def check(file: Path, entries: Iterable[ValidatedValue], problems: Problems) -> None:
        entries = tuple(entries)
        _check_suites(file, entries, problems)
        for entry in entries if owners is not None else ():
            owner = scalar_at(entry, "owner")
            if owner is not None and owner.value not in (owners or ()):
                problems.add(
                    owner.span,
                    f"there is no owner {quote(str(owner.value))} in the manifest",
                    advice=did_you_mean(str(owner.value), owners or ()),
                    expected=f"one of {listing(sorted(owners))}" if owners else "",
                )

    entries = file_entries(path, QUARANTINE, check)
    return tuple(QuarantinedTest(**record_fields(entry)) for entry in entries)


def _check_suites(path: Path, entries: Iterable[ValidatedValue], problems: Problems) -> None:
    own = [SMOKE, *names_in(path.parent, Path.is_dir)]
    files = names_in(path.parent, lambda file: file.suffix == ".yaml")
    chosen = {name.removesuffix(".yaml") for name in files} - OTHER_FILES
    suites = sorted({*own, *chosen})
    for entry in entries if len(suites) > 1 else ():
        suite = scalar_at(entry, "suite")
        if suite is not None and not fnmatch.filter(suites, str(suite.value)):
            advice = did_you_mean(str(suite.value), suites)
            problems.add(
                suite.span,
                f"there is no suite {quote(str(suite.value))}",
                advice=advice,
                expected=f"one of {listing(suites)}",
            )


def file_entries(
    path: Path,
    document: DocumentSchema,
    check: Callable[[Path, Iterable[ValidatedValue], Problems], None] | None = None,
) -> tuple[ValidatedValue, ...]:
    """Return the entries of a file that is a list; none if there is no such file."""
    with Problems(path, document) as problems:
        tree = read_document(path, problems)
        if check is not None and isinstance(tree, ListValue):
            check(path, tree.items, problems)
    return tree.items if isinstance(tree, ListValue) else ()
