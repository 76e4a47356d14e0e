"""The pages beside the report's page: the matrix of stages, all outcomes, packages and platforms."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cuvee.graph.release_graph import ReleaseGraph
from cuvee.history.over_releases import Past
from cuvee.release.record import Release
from cuvee.report.earlier_releases import OverReleases
from cuvee.report.html import SCRIPTS, SMALL_SCRIPTS, environment, policy, scripts, template
from cuvee.report.outcome_pages import outcome_pages
from cuvee.report.outcome_rows import LISTED
from cuvee.report.package_pages import package_pages
from cuvee.report.page import Page
from cuvee.report.page_names import file_name
from cuvee.report.platform_pages import FAILED_SHOWN, platform_pages

if TYPE_CHECKING:
    from jinja2 import Template

FOLDERS = ("changes", "packages", "platforms", "tests")
"""The folders of a report that have nothing but pages."""


def site_pages(
    page: Page, release: Release, graph: ReleaseGraph, past: Past, over: OverReleases
) -> Iterator[tuple[str, str]]:
    """Yield each page's path in the report's folder, and its HTML.

    Parameters
    ----------
    past
        What earlier releases had of each package.
    over
        What differs from each earlier release.
    """
    from markupsafe import Markup

    tools, style = environment(), site_style()

    def scripted(script: str) -> dict[str, Any]:
        return {"script": Markup(script), "policy": policy(style, script)}  # noqa: S704 - our own files

    shared: dict[str, Any] = {
        "page": page,
        "names": page.names,
        "listed": LISTED,
        "keys": False,
        "shown": FAILED_SHOWN,
    }
    shared |= {"style": Markup(style), **scripted(scripts(*SMALL_SCRIPTS))}  # noqa: S704 - our own file
    filtered = shared | {"keys": True, **scripted(scripts(*SCRIPTS))}
    yield "stages.html", tools.get_template("stages.html.j2").render(filtered)
    for some in outcome_pages(page):
        yield some.path, tools.get_template("outcomes.html.j2").render(filtered, item=some)
    for earlier in over.earlier:
        yield earlier.path, tools.get_template("difference.html.j2").render(shared, item=earlier)
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


def lone_page(template: "Template", **values: Any) -> str:
    """Return a page by a template, for what has no site: it has no script, and needs no other file."""
    from markupsafe import Markup

    style = site_style()
    fixed = {"style": Markup(style), "policy": policy(style, ""), "script": "", "keys": False}  # noqa: S704
    return template.render(values, **fixed)
