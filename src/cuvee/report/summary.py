"""The report in a few lines, for a terminal."""

from cuvee.graph.findings import Verdict
from cuvee.report.human_units import human_size, plural
from cuvee.report.logs import clean
from cuvee.report.page import Page


def summary_lines(page: Page) -> list[str]:
    """Say the verdict, who must act, what is in the release, and what was not done.

    Returns
    -------
    list of str
        Lines of plain text without colour; lines that belong to the one above begin with two spaces.
    """
    state = page.readiness
    lines = [f"{page.release}: {state.headline}. {state.must_act}"]
    act = "should look" if state.verdict is Verdict.WARNING else "must act"
    for actor in state.actors:
        lines.append(f"{actor.name} {act}{f' ({actor.contact})' if actor.contact else ''}:")
        lines += [f"  {task.text}" for task in actor.tasks]
    lines += _counts(page)
    lines += [f"note: {note}" for note in state.notes]
    return [clean(line).replace("\n", " ") for line in lines]


def _counts(page: Page) -> list[str]:
    tests, made = page.results, page.made
    rows, platforms = page.matrix.rows, page.matrix.platforms
    requested = f"{len(page.matrix.requested)} of them requested"
    lines = [
        f"{plural(len(rows), 'package')} on {plural(len(platforms), 'platform')}, {requested}",
        f"{plural(len(made), 'artefact')}, {human_size(sum(artefact.size for artefact in made))}",
    ]
    if tests.tests.total:
        states = ", ".join(f"{count} {badge.word}" for badge, count in tests.counts.items())
        lines.append(f"{plural(tests.tests.total, 'test')}: {tests.tests} ({states})")
    worth = [row for row in page.findings if row.verdict >= Verdict.WARNING]
    lines.append(f"{plural(len(page.findings), 'finding')}, {len(worth)} of them a warning or worse")
    lines += [f"erratum {row.number}: {row.badge.word}, {row.title}" for row in page.errata or ()]
    if page.changes:
        kinds = (
            ", ".join(f"{count} {badge.word}" for badge, count in page.changes.counts.items()) or "nothing"
        )
        lines.append(f"changed against {page.changes.base}: {kinds}")
    return lines
