"""The one place that writes to the terminal: what comes from outside cannot control it."""

import re

import click

_UNSAFE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, but tabs and line ends
    r"\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"  # what changes the order of text, or hides a line's end
    r"\ud800-\udfff]"  # no Unicode, as in names of files that are not UTF-8
)


def visible(text: str) -> str:
    r"""Return a text in which what could control a terminal is escaped: ``\x1b``, ``\u202e``.

    https://trojansource.codes
    """
    return _UNSAFE.sub(_escaped, text.replace("\r\n", "\n"))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def json_safe(text: str) -> str:
    """Return a JSON text that has the same value, and whose strings cannot control a terminal."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(
    text: object = "",
    *,
    badge: str = "",
    colour: str | None = None,
    err: bool = False,
    nl: bool = True,
    color: bool | None = None,
) -> None:
    """Write a line behind a bold ``badge`` in its ``colour``; colours are for terminals."""
    before = click.style(visible(badge), fg=colour, bold=True) if badge else ""
    click.echo(before + visible(str(text)), err=err, nl=nl, color=color)
