"""Rendering the templates of installers: shell and NSIS scripts, XML, and HTML pages."""

import functools
import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2

_NOT_XML = re.compile("[^\t\n\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(template: str, values: Mapping[str, object]) -> bytes:
    """Render a template, whose path is relative to this folder.

    XML and HTML are escaped automatically; sh is quoted with the filter ``quote``, NSIS with ``nsis``.
    """
    return _environment().get_template(template).render(values).encode()


def nsis_inner(text: str) -> str:
    """Quote a text for the inside of an NSIS string with double quotes, also in macros with backticks."""
    special = {"$": "$$", '"': '$\\"', "`": "$\\`", "\r": "", "\n": "$\\r$\\n", "\t": "$\\t"}
    return "".join(special.get(character, character) for character in text)


def xml_line(text: str) -> str:
    """Return ``text`` as one line, without characters that XML does not allow."""
    return " ".join(_NOT_XML.sub(" ", text).split())


def page(text: str) -> bytes:
    """Return an HTML page that shows a plain text.

    Installer guesses the encoding of plain text files; HTML states its own.
    """
    lines = text.replace("\f", "\n").splitlines()
    return render("pkg/page.html.j2", {"text": _NOT_XML.sub("", "\n".join(line.rstrip() for line in lines))})


@functools.cache
def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cuvee.installers", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=jinja2.select_autoescape(enabled_extensions=("xml.j2", "html.j2", "wxs.j2")),
    )
    environment.filters["quote"] = shlex.quote
    environment.filters["nsis"] = lambda text: f'"{nsis_inner(text)}"'
    environment.filters["nsis_inner"] = nsis_inner
    # Where NSIS replaces no variables, two dollar signs are two.
    environment.filters["nsis_constant"] = lambda text: f'"{nsis_inner(text).replace("$$", "$")}"'
    return environment
