"""Text that can be pasted into an issue."""

import re
from dataclasses import dataclass

from cuvee.report.logs import clean

HITS = 50
"""How many packages, victims or tests an issue lists before it only counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What an issue says.

    Attributes
    ----------
    kind
        A verdict or a group of outcomes, such as ``blocked``.
    hits
        What is affected: a title, and the names.
    """

    title: str
    kind: str
    release: str
    check: str = ""
    packages: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    hits: tuple[str, tuple[str, ...]] = ("", ())
    action: str = ""
    evidence: tuple[str, ...] = ()


def issue_text(issue: Issue) -> str:
    """Return Markdown that trackers understand; nothing in the evidence can end its block."""
    title, names = issue.hits
    facts = [
        ("Release", f"{_code(issue.release)}, {issue.kind}"),
        ("Check", _code(issue.check) if issue.check else ""),
        ("Packages", _listed(issue.packages)),
        ("Platforms", ", ".join(issue.platforms)),
        ("Owners", ", ".join(map(one_line, issue.owners))),
        (title, _listed(names)),
    ]
    lines = [f"### {one_line(issue.title)}", ""]
    lines += [f"- {name}: {value}" for name, value in facts if value]
    if issue.action:
        lines += ["", f"**Next:** {one_line(issue.action)}"]
    if issue.evidence:
        evidence = clean("\n".join(issue.evidence))
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", evidence)), default=0))
        lines += ["", fence, evidence, fence]
    return "\n".join(lines) + "\n"


def one_line(text: str) -> str:
    """Return text in one line, in which Markdown and HTML mean nothing."""
    return re.sub(r"([\\`*_\[\]<>#@])", r"\\\1", " ".join(clean(text).split()))


def _listed(names: tuple[str, ...]) -> str:
    more = f", and {len(names) - HITS} more, which the report lists" if len(names) > HITS else ""
    return ", ".join(map(_code, names[:HITS])) + more


def _code(text: str) -> str:
    return f"`{' '.join(clean(text).replace('`', chr(39)).split())}`"
