"""Platforms without a solution, as causes: the conflict, the way out of it, and a text for an issue."""

from dataclasses import dataclass

from cuvee.release.record import Release
from cuvee.report.actors import UNOWNED
from cuvee.report.issue_text import Issue, issue_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictCause:
    """Platforms that have no solution for one reason.

    Attributes
    ----------
    anchor
        Its place on the page.
    evidence
        The packages and requirements that contradict each other, in lines.
    action
        The edits that would give a solution; may be empty.
    issue
        Markdown for an issue.
    """

    anchor: str
    title: str
    platforms: tuple[str, ...]
    evidence: str
    action: str
    issue: str


def conflict_causes(release: Release) -> tuple[ConflictCause, ...]:
    """Return why platforms have no solution; a run that ended for that has it as its failure."""
    found = [(item.platforms, item.message, item.hint) for item in release.unsolved]
    if release.failure is not None and release.failure.stage == "lock":
        found.append((release.unlocked, release.failure.message, release.failure.hint))
    return tuple(_cause(number, release, *item) for number, item in enumerate(found, 1))


def _cause(
    number: int, release: Release, platforms: tuple[str, ...], message: str, hint: str
) -> ConflictCause:
    title = f"{', '.join(platforms)}: there is no solution" if platforms else "There is no lock"
    lines = tuple(message.strip().splitlines())
    text = Issue(
        title=title,
        kind="no solution",
        release=release.name,
        owners=(UNOWNED,),
        platforms=platforms,
        action=hint,
        evidence=lines,
    )
    return ConflictCause(
        anchor=f"conflict-{number}",
        title=title,
        platforms=platforms,
        evidence="\n".join(lines),
        action=hint,
        issue=issue_text(text),
    )
