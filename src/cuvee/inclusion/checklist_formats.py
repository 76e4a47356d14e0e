"""A checklist as text, as Markdown for a pull request, as a page, and as JSON values."""

import re
from collections.abc import Iterator
from typing import Any

from cuvee.codec import encode
from cuvee.inclusion.model import Checklist, ChecklistItem, ItemState
from cuvee.report.html import environment
from cuvee.report.human_units import human_size, plural
from cuvee.report.issue_text import one_line
from cuvee.report.logs import clean
from cuvee.report.site import lone_page

_TONES = {ItemState.PASS: "good", ItemState.FAIL: "bad", ItemState.PERSON: "warn"}
_MOST_EVIDENCE = 40


def as_lines(checklist: Checklist, *, verbose: bool = False) -> Iterator[str]:
    """Yield the checklist as lines of text; the evidence of what passes only if ``verbose``."""
    yield f"{checklist.wanted} for {checklist.release}, from {checklist.source}"
    for platform, version in checklist.versions.items():
        yield f"  {platform}: {version}"
    widest = max(len(state.value) for state in ItemState)
    for item in checklist.items:
        binds = " (binds)" if item.binds else ""
        yield f"{item.state.value:<{widest}}  {item.identifier}{binds}: {item.summary}"
        if verbose or item.state is not ItemState.PASS:
            yield from (f"{'':<{widest}}    {line}" for line in item.evidence)
            if item.action:
                yield f"{'':<{widest}}    next: {item.action}"
    yield checklist.headline


def as_markdown(checklist: Checklist) -> str:
    """Return a checklist to paste into a pull request: boxes of what passes are ticked."""
    lines = [
        f"### {one_line(checklist.name)} for {one_line(checklist.release)}",
        "",
        f"**{one_line(checklist.headline)}.**",
        f"Requested: `{_plain(checklist.wanted)}`, from {checklist.source}, checked on {checklist.today}.",
        "",
    ]
    if checklist.additions:
        lines += ["| Platform | Version | Adds | Size |", "|---|---|--:|--:|"]
        lines += [
            f"| {item.platform} | `{_plain(checklist.versions.get(item.platform, ''))}` | "
            f"{plural(len(item.packages), 'package')} | {human_size(item.size)} |"
            for item in checklist.additions
        ]
        lines.append("")
    for item in checklist.items:
        tick = "x" if item.state is ItemState.PASS else " "
        state = "" if item.state is ItemState.PASS else f"**{item.state.value}**: "
        binds = " (binds)" if item.binds else ""
        lines.append(f"- [{tick}] {one_line(item.title)}{binds}: {state}{one_line(item.summary)}")
        if item.action:
            lines.append(f"  - Next: {one_line(item.action)}")
        if item.state is not ItemState.PASS and item.evidence:
            lines += ["", *_folded(item), ""]
    return "\n".join(lines).rstrip() + "\n"


def _folded(item: ChecklistItem) -> list[str]:
    """Return the evidence in a block that is closed at first, and that nothing in it can end."""
    evidence = clean("\n".join(item.evidence[:_MOST_EVIDENCE]))
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", evidence)), default=0))
    block = [fence, *evidence.splitlines(), fence]
    return [
        "  <details><summary>Evidence</summary>",
        "",
        *(f"  {line}" for line in block),
        "",
        "  </details>",
    ]


def _plain(text: str) -> str:
    return " ".join(clean(text).replace("`", "'").replace("|", "or").split())


def as_html(checklist: Checklist) -> str:
    """Return the checklist as a page that needs nothing else."""
    return lone_page(
        environment().get_template("inclusion.html.j2"),
        checklist=checklist,
        tones=_TONES,
        most=_MOST_EVIDENCE,
    )


def as_json(checklist: Checklist) -> dict[str, Any]:
    """Return the checklist as JSON values."""
    return {
        "distribution": checklist.distribution,
        "release": checklist.release,
        "name": checklist.name,
        "wanted": checklist.wanted,
        "source": checklist.source,
        "versions": dict(checklist.versions),
        "accepted": not checklist.refused,
        "headline": checklist.headline,
        "items": encode(checklist.items),
        "adds": {
            item.platform: {
                "size": item.size,
                "packages": [
                    {
                        "name": package.name,
                        "version": package.version,
                        "build": package.build,
                        "size": package.size,
                        "license": package.license,
                    }
                    for package in item.packages
                ],
            }
            for item in checklist.additions
        },
        "date": checklist.today.isoformat(),
    }
