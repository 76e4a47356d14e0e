"""``cuvee needs``."""

from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.completion import package_names
from cuvee.cli.options import answer_from_graph, question_options

if TYPE_CHECKING:
    from cuvee.graph.reasons import Dependent, Needs


@click.command()
@click.argument("name", shell_complete=package_names)
@question_options
def command(name: str, **options: Any) -> int:
    """Print who needs the package NAME, and so would be hit if it were broken or gone.

    Requested packages come first, then the nearest. It reads a lock, solves nothing and writes nothing. NAME
    may be a virtual package. SET is what `cuvee why` takes.

    \b
    Examples:
      cuvee needs numpy manifests/starter/2026.11.0.yaml
      cuvee needs __glibc manifests/starter/2026.11.0.yaml --platform linux-64
      cuvee needs numpy dist/starter-2026.11.0 --json
      cuvee needs numpy /opt/starter
    """
    from cuvee.graph.reasons import needs

    return answer_from_graph(needs, needs_lines, name, **options)


def needs_lines(answer: "Needs", name: str) -> list[str]:
    """Return the answer of one platform for people."""
    what = ", ".join(answer.stems) or f"no {name}"
    if not answer.dependents:
        return [f"{what}; nothing needs it"]
    blessed = [item for item in answer.dependents if item.requirement is not None]
    others = [item for item in answer.dependents if item.requirement is None]
    direct = sum(item.distance == 1 for item in answer.dependents)
    count = len(answer.dependents)
    lines = [f"{what}; {count} package{'s need' if count > 1 else ' needs'} it, {direct} of them directly"]
    for title, items in (("of the blessed set", blessed), ("others", others)):
        if items:
            lines += [f"{title}:", *(f"  {_line(item)}" for item in items)]
    return lines


def _line(item: "Dependent") -> str:
    owner = f", owner {item.requirement.owner}" if item.requirement and item.requirement.owner else ""
    if item.distance == 1:
        return f"{item.package}{owner}: {' & '.join(item.specs)}"
    return f"{item.package}{owner}: through {', '.join(item.through)}"
