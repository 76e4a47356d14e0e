"""The report in Markdown, short enough for chat and pull requests."""

from cuvee.graph.findings import Verdict
from cuvee.report.issue_text import one_line
from cuvee.report.page import Page

MOST = 10
"""How many causes, findings and changes are named; the others are counted."""

_SIGNS = {"good": "✅", "bad": "❌", "warn": "⚠️", "wait": "⏳", "info": "🔵", "idle": "⚪"}


def markdown_summary(page: Page) -> str:
    """Return the verdict, who must act, the groups of tests, causes and changes."""
    state = page.readiness
    lines = [
        f"## {_SIGNS[state.badge.tone]} {one_line(page.release)}: {one_line(state.headline)}",
        "",
        one_line(state.must_act),
    ]
    lines += _part(
        "Should look" if state.verdict is Verdict.WARNING else "Must act",
        [f"**{one_line(a.name)}**: {one_line(t.text)}" for a in state.actors for t in a.tasks],
    )
    sizes = page.results.sizes
    if page.results.tests.total or page.results.gone:
        lines += [
            "",
            "| Tests | |",
            "|---|--:|",
            *(f"| {g.value} | {size:,} |" for g, size in sizes.items() if size),
        ]
    lines += _part("Causes", [one_line(cause.title) for cause in page.causes])
    loud = [row for row in page.findings if row.issue]
    lines += _part("Findings", [f"{row.badge.word}: {one_line(row.cause)}" for row in loud])
    lines += _part(
        "Errata",
        [
            f"{one_line(row.number)} ({row.severity}, {row.badge.word}): {one_line(row.title)}"
            for row in page.errata or ()
        ],
    )
    if page.changes:
        rows = [
            f"{one_line(row.package)} {one_line(row.before)} → {one_line(row.after)} ({row.badge.word})"
            for row in page.changes.rows
        ]
        lines += _part(f"Changes against {one_line(page.changes.base)}", rows)
    lines += _part("Notes", [one_line(note) for note in state.notes])
    lines += ["", f"Made {page.made_at:%Y-%m-%d %H:%M %Z}, inputs `{page.inputs_hash[:12]}`."]
    return "\n".join(lines) + "\n"


def _part(title: str, rows: list[str]) -> list[str]:
    if not rows:
        return []
    more = [f"- and {len(rows) - MOST} more"] if len(rows) > MOST else []
    return ["", f"**{title}**", "", *(f"- {row}" for row in rows[:MOST]), *more]
