"""Checks of ``policy.approvals`` across values: one person counts once, and the quorum can be reached."""

import datetime as dt
from collections.abc import Iterator

from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.source_tree import Span
from cuvee.manifest.documents.suggestions import listing, quote
from cuvee.manifest.documents.validated_tree import (
    MappingValue,
    entries_at,
    scalar_at,
    scalars_at,
    text_at,
)

_PATH = ("policy", "approvals")
_PEOPLE = (*_PATH, "people")


def check_approvals(tree: MappingValue, problems: Problems) -> None:
    """Note people with one key or one name, periods that end before they begin, and what too few can do."""
    _twice(tree, "key", "have the same key, so they are one person", problems)
    _twice(tree, "name", "have the same name, so they would count twice", problems)
    for _, person in entries_at(tree, *_PEOPLE):
        since, until = scalar_at(person.value, "since"), scalar_at(person.value, "until")
        if since is None or until is None:
            continue
        if (
            isinstance(since.value, dt.date)
            and isinstance(until.value, dt.date)
            and until.value < since.value
        ):
            problems.add(
                until.span,
                f"the period ends on {until.value}, before it begins",
                related=(since.span, "begins here"),
            )
    _enough(tree, problems)


def _twice(tree: MappingValue, field: str, what: str, problems: Problems) -> None:
    first: dict[str, tuple[str, Span]] = {}
    for handle, person in entries_at(tree, *_PEOPLE):
        scalar = scalar_at(person.value, field)
        if scalar is None:
            continue
        value = " ".join(str(scalar.value).split())
        known = first.setdefault(value if field == "key" else value.casefold(), (handle, scalar.span))
        if known[0] != handle:
            problems.add(scalar.span, f"{known[0]} and {handle} {what}", related=(known[1], "stated here"))


def _enough(tree: MappingValue, problems: Problems) -> None:
    people = [person for _, person in entries_at(tree, *_PEOPLE)]
    organisations = {(text_at(person.value, "organisation") or "").casefold() for person in people}
    for field, there, what in (
        ("count", len(people), "people"),
        ("organisations", len(organisations), "organisations"),
    ):
        wanted = scalar_at(tree, *_PATH, field)
        if wanted is not None and isinstance(wanted.value, int) and wanted.value > there:
            problems.add(
                wanted.span,
                f"{wanted.value} {what} must approve, and the list has {there}",
                advice="add people to policy.approvals.people, or lower the number",
            )
    had = sorted({str(role.value) for person in people for role in scalars_at(person.value, "roles")})
    for role, span in _required(tree):
        if role not in had:
            problems.add(
                span,
                f"somebody with the role {quote(role)} must approve, and the list has none",
                expected=f"one of {listing(had)}" if had else "",
            )


def _required(tree: MappingValue) -> Iterator[tuple[str, Span]]:
    for field in ("roles", "waivers"):
        for name, _ in entries_at(tree, *_PATH, field):
            for role in scalars_at(tree, *_PATH, field, name):
                yield str(role.value), role.span
