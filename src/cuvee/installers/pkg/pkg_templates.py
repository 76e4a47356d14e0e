"""The texts inside a package: XML for Installer, pages for people, and the script that does the work."""

import functools
import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

_NOT_XML = re.compile("[^\t\n\u0020-\u007e\u0085\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(template: str, values: Mapping[str, Any]) -> bytes:
    """Render one of this folder's templates: XML and HTML escape by themselves, sh uses ``quote``."""
    return _environment().get_template(template).render(values).encode()


def one_line(text: str) -> str:
    """Give ``text`` as one line of what XML can hold."""
    return " ".join(_NOT_XML.sub(" ", text).split())


def page(text: str) -> bytes:
    """Give an HTML page that shows a plain text.

    Installer guesses the encoding of plain text files; a page says its own.
    """
    lines = text.replace("\f", "\n").splitlines()
    return render("page.html.j2", {"text": _NOT_XML.sub("", "\n".join(line.rstrip() for line in lines))})


@functools.cache
def _environment() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cuvee.installers.pkg", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=jinja2.select_autoescape(enabled_extensions=("xml.j2", "html.j2")),
    )
    environment.filters["quote"] = shlex.quote
    return environment
