"""The page as one self-contained HTML file."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from cuvee.graph.drawing.svg import stylesheet
from cuvee.report.actors import UNOWNED
from cuvee.report.deployment import SIGNATURE, SUMS
from cuvee.report.earlier_releases import OverReleases
from cuvee.report.failure_causes import SAID, SHOWN
from cuvee.report.human_units import human_size, human_time, plural
from cuvee.report.logs import clean
from cuvee.report.outcome_rows import DETAILED, LISTED
from cuvee.report.page import Page
from cuvee.report.page_names import file_name
from cuvee.report.page_pictures import Pictures
from cuvee.report.triage import LOUD

if TYPE_CHECKING:
    from jinja2 import Environment

_OF_OTHERS = frozenset({"errata.html.j2", "governance.html.j2", "inclusion.html.j2"})
"""Templates of other pages than those of a report."""

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def render(page: Page, drawn: Pictures | None = None, over: OverReleases | None = None) -> str:
    """Render the page: no network, no external file, and a policy that forbids both.

    The content needs no JavaScript; the script adds filters, sorting, keys, copying and ages. Style and
    script are allowed by their hashes, so nothing that slipped into the text could run.

    Parameters
    ----------
    drawn
        The pictures that it shows.
    over
        What it says of earlier releases; `None` to leave that out.
    """
    from markupsafe import Markup

    style, script = template("style.css") + stylesheet(), scripts(*SCRIPTS)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            page=page,
            drawn=drawn or Pictures(),
            over=over,
            names=page.names,
            listed=LISTED,
            detailed=DETAILED,
            loud=LOUD,
            shown_causes=SHOWN,
            shown_tests=SAID,
            unowned=UNOWNED,
            verify_sums=SUMS,
            verify_signature=SIGNATURE,
            style=Markup(style),  # noqa: S704  (our own file, not data)
            script=Markup(script),  # noqa: S704  (our own file, not data)
            policy=policy(style, script),
        )
    )


SMALL_SCRIPTS = ("links.js", "sorting.js")
"""The scripts of all other pages."""

SCRIPTS = ("script.js", *SMALL_SCRIPTS, "keys.js")
"""The scripts of a page that has filters."""


def scripts(*names: str) -> str:
    """Return scripts as one; each is a function of its own."""
    return "".join(map(template, names))


def policy(style: str, script: str) -> str:
    """Return the content security policy that allows this style, this script, and nothing else.

    https://www.w3.org/TR/CSP3/
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def safe_url(text: str) -> str:
    """Return an address that may be linked: a web page or an e-mail address; else the empty string."""
    text = clean(text).strip()
    if _EMAIL.fullmatch(text):
        return f"mailto:{text}"
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    good = parts.scheme in {"http", "https"} and parts.hostname and not re.search(r"[\s\"<>\\]", text)
    return text if good else ""


def release_path(path: str) -> str:
    """Return a link from the report's folder to a path of the release; empty if it leads elsewhere."""
    path = clean(path)
    parts = path.split("/")
    bad = path.startswith("/") or "\\" in path or ".." in parts or ":" in parts[0]
    return "" if bad or not path else f"../{quote(path)}"


@cache
def environment() -> "Environment":
    """Return where templates come from, each compiled once in a process; read-only."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=PackageLoader("cuvee.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    made.filters |= {
        "size": human_size,
        "time": human_time,
        "plural": plural,
        "safe_url": safe_url,
        "release_path": release_path,
        "file_name": file_name,
        "host": lambda url: urlsplit(url).hostname or "",
        "archive": lambda url: url.rpartition("/")[2],
        "drawing": Markup,  # as it is: cuvee.graph.drawing has made it, and escapes every text
    }
    return made


def compile_templates() -> None:
    """Compile the templates of a report before it is made, which takes longer than filling them."""
    tools = environment()
    for name in tools.list_templates(filter_func=lambda name: name.endswith(".html.j2")):
        if name not in _OF_OTHERS:
            tools.get_template(name)


def _finalize(value: Any) -> Any:
    """Drop what would change how other text is read: controls and marks that reverse the reading order."""
    return clean(value) if type(value) is str else value


def template(name: str) -> str:
    """Return the text of one of our files in ``templates/``."""
    return (files("cuvee.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
