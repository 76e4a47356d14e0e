"""Reading the folder ``errata/``: an advisory per file, and ``publisher.yaml``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cuvee.errata.erratum_schema import ERRATUM, PUBLISHER
from cuvee.errata.model import Erratum, ErratumFinding, Flaw, Publisher, Revision
from cuvee.errors import DocumentError, UsageError
from cuvee.manifest.documents.named_files import missing_path, names_in
from cuvee.manifest.documents.problems import Problems, render
from cuvee.manifest.documents.schema_types import DocumentSchema
from cuvee.manifest.documents.source_tree import Span
from cuvee.manifest.documents.suggestions import quote
from cuvee.manifest.documents.validated_tree import (
    MappingValue,
    ValidatedValue,
    entries_at,
    entry_at,
    items_at,
    record_fields,
    scalar_at,
    scalars_at,
    text_at,
)
from cuvee.manifest.documents.validation import read_document

PUBLISHER_FILE = "publisher.yaml"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrataFolder:
    """What a folder of errata states, sorted by number.

    ``trees`` are the files by number, for messages that show where something is stated.
    """

    publisher: Publisher
    errata: tuple[Erratum, ...]
    trees: Mapping[str, tuple[Path, ValidatedValue]]

    def shown(self, findings: tuple[ErratumFinding, ...]) -> str:
        """Return findings as text, each with its line and a caret."""
        blocks = []
        for number, (path, tree) in self.trees.items():
            problems = Problems(path, ERRATUM)
            for item in findings:
                if item.number == number:
                    problems.add(_span(tree, item.keys), item.message, advice=item.advice)
            if problems:
                blocks.append(render(problems.found, path))
        return "\n\n".join(blocks)

    def position(self, finding: ErratumFinding) -> str:
        """Return where the statement of a finding is, as ``file:line:column``."""
        _, tree = self.trees[finding.number]
        return str(_span(tree, finding.keys).position)


def read_errata(folder: Path) -> ErrataFolder:
    """Return all errata of a folder.

    Raises
    ------
    UsageError
        If there is no such folder.
    DocumentError
        With every problem of all files.
    """
    if not folder.is_dir():
        raise missing_path(folder, what="folder of errata", hint=f"Write {folder / PUBLISHER_FILE} first.")
    errors: list[DocumentError] = []

    def collected(read: Callable[[], T]) -> T | None:
        try:
            return read()
        except DocumentError as error:
            errors.append(error)
            return None

    publisher = collected(lambda: read_publisher(folder / PUBLISHER_FILE))
    read: dict[str, tuple[Erratum, ValidatedValue]] = {}
    for name in names_in(folder, lambda path: path.suffix in {".yaml", ".yml"}):
        if name != PUBLISHER_FILE:
            found = collected(lambda path=folder / name: read_erratum(path))  # type: ignore[misc]
            if found is not None:
                read[found[0].number] = found
    if errors:
        raise DocumentError("\n\n".join(error.message for error in errors), hint=errors[0].hint)
    if publisher is None:
        raise UsageError(
            f"There is no {folder / PUBLISHER_FILE}",
            hint="It has the name of who publishes errata, and the URL where; see docs/howto/errata.md.",
        )
    return ErrataFolder(
        publisher=publisher,
        errata=tuple(erratum for erratum, _ in read.values()),
        trees={number: (folder / f"{number}.yaml", tree) for number, (_, tree) in read.items()},
    )


def read_publisher(path: Path) -> Publisher | None:
    """Return who publishes errata; `None` if there is no such file."""
    tree = _read(path, PUBLISHER, lambda _tree, _problems: None)
    if tree is None:
        return None
    found = Publisher(**record_fields(tree))
    return Publisher(name=found.name.strip(), url=found.url.rstrip("/"), contact=found.contact)


def read_erratum(path: Path) -> tuple[Erratum, ValidatedValue] | None:
    """Return one advisory and its file as it was read; `None` if there is no such file."""

    def check(tree: MappingValue, problems: Problems) -> None:
        _check_name(path, tree, problems)
        _check_packages(tree, problems)
        _check_releases(tree, problems)
        _check_dates(tree, problems)

    tree = _read(path, ERRATUM, check)
    if tree is None:
        return None
    stated = record_fields(tree)
    flaws = tuple(
        Flaw(package=name, **record_fields(entry.value)) for name, entry in entries_at(tree, "packages")
    )
    revisions = tuple(Revision(**record_fields(item)) for item in items_at(tree, "revisions"))
    del stated["packages"]
    stated["affected_releases"] = tuple(sorted(stated["affected_releases"]))
    stated["fixed_releases"] = tuple(sorted(stated.get("fixed_releases", ())))
    return Erratum(**{**stated, "flaws": flaws, "revisions": revisions}), tree


def _read(
    path: Path, schema: DocumentSchema, check: Callable[[MappingValue, Problems], None]
) -> MappingValue | None:
    with Problems(path, schema) as problems:
        tree = read_document(path, problems)
        if isinstance(tree, MappingValue):
            check(tree, problems)
    return tree if isinstance(tree, MappingValue) else None


def _check_name(path: Path, tree: MappingValue, problems: Problems) -> None:
    number = scalar_at(tree, "number")
    if number is not None and path.name != f"{number.value}.yaml":
        advice = f"name the file {number.value}.yaml, or state {path.stem}"
        problems.add(number.span, f"the file of {number.value} is called {path.name}", advice=advice)


def _check_packages(tree: MappingValue, problems: Problems) -> None:
    from cuvee.manifest.range_validation import contradict

    packages = dict(entries_at(tree, "packages"))
    stated = entry_at(tree, "packages")
    if stated is not None and isinstance(stated.value, MappingValue) and not packages:
        problems.add(stated.value.span, "there is no package here", advice="name at least one")
    fixed_somewhere = entry_at(tree, "fixed-releases") is not None
    for name, entry in packages.items():
        affected, fixed = (text_at(entry.value, key) for key in ("affected", "fixed"))
        build = scalar_at(entry.value, "fixed-build")
        lacks_fixed = isinstance(entry.value, MappingValue) and entry_at(entry.value, "fixed") is None
        if lacks_fixed and build is not None:
            problems.add(build.span, f"{name} has a fixed build, but no fixed version", advice="state fixed")
        if lacks_fixed and fixed_somewhere:
            message = f"there are fixed releases, but {quote(name)} has no fixed version"
            problems.add(entry.key, message, advice="state fixed")
        if affected and fixed and build is None and not contradict(affected, fixed):
            span = scalar_at(entry.value, "fixed")
            message = f"versions of {name} can be in both ranges, {quote(affected)} and {quote(fixed)}"
            problems.add(
                span.span if span else entry.key, message, advice="exclude one, or state fixed-build"
            )


def _check_releases(tree: MappingValue, problems: Problems) -> None:
    affected = {item.value: item.span for item in scalars_at(tree, "affected-releases")}
    for item in scalars_at(tree, "fixed-releases"):
        if item.value in affected:
            problems.add(
                item.span,
                f"{item.value} is affected and fixed",
                advice="remove one",
                related=(affected[item.value], "stated as affected here"),
            )
        elif affected and all(item.value < other for other in affected):  # type: ignore[operator]
            problems.add(item.span, f"{item.value} is older than each affected release")


def _check_dates(tree: MappingValue, problems: Problems) -> None:
    before = scalar_at(tree, "date")
    for item in items_at(tree, "revisions"):
        date = scalar_at(item, "date")
        if before is not None and date is not None and date.value < before.value:  # type: ignore[operator]
            problems.add(date.span, f"{date.value} is before {before.value}", advice="state the oldest first")
        before = date or before


def _span(tree: ValidatedValue, keys: tuple[str, ...]) -> Span:
    """Return where keys lead, as far as they do; the last one may be a value in a list."""
    span = tree.span
    for name in keys:
        entry = entry_at(tree, name)
        if entry is None:
            scalars = (item for item in getattr(tree, "items", ()) if str(getattr(item, "value", "")) == name)
            found = next(scalars, None)
            return span if found is None else found.span
        span, tree = entry.key, entry.value
    return span
