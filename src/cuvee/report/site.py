"""The pages beside the report's page: the matrix of stages, and a page per package and per platform."""

import re
from collections.abc import Iterator
from typing import Any

from cuvee.graph.release_graph import ReleaseGraph
from cuvee.history.over_releases import Past
from cuvee.release.record import Release
from cuvee.report.html import environment, file_name, policy, template
from cuvee.report.outcome_rows import LISTED
from cuvee.report.package_pages import package_pages
from cuvee.report.page import Page
from cuvee.report.platform_pages import platform_pages

FOLDERS = ("packages", "platforms")
"""The folders of a report that have nothing but pages."""


def site_pages(page: Page, release: Release, graph: ReleaseGraph, past: Past) -> Iterator[tuple[str, str]]:
    """Yield each page's path in the report's folder, and its HTML.

    Parameters
    ----------
    past
        What earlier releases had of each package.
    """
    from markupsafe import Markup

    tools, style, script = environment(), site_style(), template("script.js")
    shared: dict[str, Any] = {"page": page, "names": page.names, "listed": LISTED}
    shared |= {"style": Markup(style), "script": "", "policy": policy(style, "")}  # noqa: S704 - our own file
    scripted = {"script": Markup(script), "policy": policy(style, script)}  # noqa: S704 - our own file
    yield "stages.html", tools.get_template("stages.html.j2").render(shared | scripted)
    package, platform = tools.get_template("package.html.j2"), tools.get_template("platform.html.j2")
    for item in package_pages(page, release, graph, past):
        yield f"packages/{file_name(item.name)}", package.render(shared, item=item)
    for place in platform_pages(page, release):
        yield f"platforms/{file_name(place.row.name)}", platform.render(shared, item=place)


def site_style() -> str:
    """Return the style of these pages: the colours of the report's page, and little else."""
    whole = template("style.css")
    light = re.search(r":root \{.*?\n\}", whole, re.DOTALL)
    dark = re.search(r"@media \(prefers-color-scheme: dark\) \{.*?\n\}", whole, re.DOTALL)
    if light is None or dark is None:
        raise LookupError("style.css has no colours")
    return f"\n{light[0]}\n{dark[0]}{template('site.css')}"
