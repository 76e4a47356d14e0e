"""``cuvee why``."""

from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.completion import package_names
from cuvee.cli.options import answer_from_graph, question_options

if TYPE_CHECKING:
    from cuvee.graph.reasons import RequirementChain, Why
    from cuvee.manifest.model import Requirement


@click.command()
@click.argument("name", shell_complete=package_names)
@question_options
def command(name: str, **options: Any) -> int:
    """Print why the package NAME is in a release: the shortest chains from requested packages to it.

    It reads a lock, solves nothing and writes nothing. NAME may be a virtual package, such as __glibc. SET is
    a manifest whose release is locked, a release folder, a pixi.lock, a conda-lock.yml, or an installed
    environment; of the last three, packages that nothing depends on count as requested, unless it is stated.

    \b
    Examples:
      cuvee why numpy manifests/starter/2026.11.0.yaml
      cuvee why colorama manifests/starter/2026.11.0.yaml --platform win-64
      cuvee why numpy dist/starter-2026.11.0 --json
      cuvee why numpy pixi.lock --environment test
    """
    from cuvee.graph.reasons import why

    return answer_from_graph(why, why_lines, name, **options)


def why_lines(answer: "Why", name: str) -> list[str]:
    """Return the answer of one platform for people."""
    if not answer.stems and not answer.count:
        return [f"there is no {name}, and nothing needs it"]
    lines = [", ".join(answer.stems) or f"there is no {name}, but it is requested"]
    if answer.requirement is not None:
        lines.append(_requested(answer.requirement))
    lines += [reason_line(reason) for reason in answer.reasons]
    more = answer.count - len(answer.reasons)
    if more:
        lines.append(f"… and {more} more chains of the same length")
    if answer.requirement is None and not answer.count:
        lines.append("nothing in the set needs it")
    return lines


def _requested(requirement: "Requirement") -> str:
    if requirement.reason:
        return f"{requirement.name} counts as requested: {requirement.reason}"
    return f"the manifest requests {requirement.spec} ({requirement.position})"


def reason_line(reason: "RequirementChain") -> str:
    """Return a chain on one line: what is requested first, then what each package requires of the next."""
    first = reason.requirement
    steps = [f"{first.spec} ({first.reason or first.position})"]
    steps += [" & ".join(item.specs) for item in reason.dependencies]
    return " → ".join(steps)
