"""Output of a comparison: text, Markdown for release notes, an HTML page, and JSON values."""

import re
from collections.abc import Iterator
from importlib.resources import files

from cuvee.codec import Json, encode_object
from cuvee.graph.diff.model import ChangeKind, Comparison, ComparisonRow

WORDS = {
    ChangeKind.DOWNGRADED: "downgraded",
    ChangeKind.REMOVED: "removed",
    ChangeKind.UPGRADED: "upgraded",
    ChangeKind.ADDED: "added",
    ChangeKind.MODIFIED: "files changed",
    ChangeKind.REBUILT: "rebuilt",
    ChangeKind.METADATA: "metadata changed",
}
_REASONS = 2
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|#~])")


def groups(comparison: Comparison) -> tuple[tuple[str, tuple[ComparisonRow, ...]], ...]:
    """Return the rows under their headings, in the order in which to review them; no group is empty."""
    rows = sorted(comparison.changes, key=lambda row: (list(ChangeKind).index(row.kind), row.package))
    rest = [row for row in rows if not row.attention]
    found = (
        ("Review these first", [row for row in rows if row.attention]),
        ("Requested", [row for row in rest if row.requested]),
        ("Indirect", [row for row in rest if row.requested is False]),
        ("Changes", [row for row in rest if row.requested is None]),
    )
    return tuple((title, tuple(part)) for title, part in found if part)


def summary(comparison: Comparison) -> str:
    """Return the counts: ``2 upgraded, 1 rebuilt``."""
    counts = ", ".join(f"{count} {WORDS[kind]}" for kind, count in comparison.counts)
    if comparison.settings:
        counts += f"{', ' if counts else ''}{len(comparison.settings)} settings changed"
    return counts or "no difference"


def as_text(comparison: Comparison, *, verbose: bool = False) -> str:
    """Return the comparison as text; `verbose` shows all reasons instead of the first."""
    where = ", ".join(filter(None, comparison.platforms))
    heading = f"{_plain(comparison.before)} → {_plain(comparison.after)}"
    lines = [f"{heading}{f' on {where}' if where else ''}: {summary(comparison)}"]
    for title, rows in groups(comparison):
        lines += ["", title]
        width = max(len(row.package) for row in rows)
        for row in rows:
            what = _plain(change(row, comparison.platforms))
            lines.append(f"  {WORDS[row.kind]:<16}  {row.package:<{width}}  {what}".rstrip())
            lines += [f"      {_plain(text)}" for text in _reasons(row, None if verbose else _REASONS)]
    if comparison.settings:
        lines += ["", "Settings"]
        lines += [
            f"  {_plain(item.path)}: {_plain(item.before) or 'not stated'} → "
            f"{_plain(item.after) or 'not stated'}"
            for item in comparison.settings
        ]
    if comparison.notes:
        lines += ["", *(f"note: {_plain(note)}" for note in comparison.notes)]
    return "\n".join(lines) + "\n"


def as_markdown(comparison: Comparison) -> str:
    """Return the comparison as Markdown tables to paste into release notes."""
    before, after = _escaped(comparison.before), _escaped(comparison.after)
    lines = [f"## Changes from {before} to {after}", "", f"{summary(comparison).capitalize()}."]
    for title, rows in groups(comparison):
        lines += ["", f"### {title}", "", "| Package | Change | Before | After | Level | Platforms | Why |"]
        lines.append("|---|---|---|---|---|---|---|")
        for row in rows:
            cells = (
                row.package,
                WORDS[row.kind],
                row.before or "",
                row.after or "",
                row.level.value if row.level else "",
                ", ".join(filter(None, row.platforms)),
                "; ".join((*row.details, *_reasons(row, _REASONS))),
            )
            lines.append(f"| {' | '.join(map(_escaped, cells))} |")
    if comparison.settings:
        lines += ["", "### Settings", "", "| Setting | Before | After |", "|---|---|---|"]
        lines += [
            f"| {_escaped(item.path)} | {_escaped(item.before)} | {_escaped(item.after)} |"
            for item in comparison.settings
        ]
    lines += ["", *(_escaped(note) for note in comparison.notes)] if comparison.notes else []
    return "\n".join(lines) + "\n"


def as_html(comparison: Comparison) -> str:
    """Return the comparison as one self-contained page; whatever comes from outside is escaped."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = files("cuvee.graph.diff").joinpath("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        comparison=comparison,
        groups=groups(comparison),
        summary=summary(comparison),
        words=WORDS,
        reasons=lambda row: tuple(_plain(text) for text in _reasons(row, None)),
        plain=_plain,
    )


def as_json(comparison: Comparison) -> dict[str, Json]:
    """Return the comparison as JSON values."""
    return encode_object(comparison) | {
        "counts": {kind.value: count for kind, count in comparison.counts},
        "changes": [encode_object(row) | {"attention": row.attention} for row in comparison.changes],
    }


def change(row: ComparisonRow, everywhere: tuple[str, ...] = ()) -> str:
    """Return a row's versions, level, and platforms if those are not all, in one line."""
    versions = row.before if row.before == row.after else " → ".join(filter(None, (row.before, row.after)))
    parts = [versions, f"({row.level.value})" if row.level else "", "; ".join(row.details)]
    where = ", ".join(filter(None, row.platforms)) if set(row.platforms) != set(everywhere) else ""
    return "  ".join(filter(None, (*parts, f"on {where}" if where else "")))


def _reasons(row: ComparisonRow, most: int | None) -> Iterator[str]:
    if row.forced_by is None or row.kind is ChangeKind.METADATA:
        return
    shown = row.forced_by[:most]
    for text in shown:
        yield text if text.startswith("although ") else f"because {text}"
    more = len(row.forced_by) - len(shown)
    if more:
        yield f"and {more} more {'reason' if more == 1 else 'reasons'}"
    if not row.forced_by and row.requested is False:
        yield "nothing requires it; the solver chose it"


def _plain(text: str) -> str:
    """Return text with a mark for each character that could move a terminal's cursor."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _escaped(text: str) -> str:
    """Return text that is safe in a cell of a Markdown table."""
    return _MARKDOWN.sub(r"\\\1", _plain(text)).replace("&", "&amp;")
