"""SVG: elements, texts that fit, and the tones of all pictures."""

import math
import re
from collections.abc import Iterable
from importlib.resources import files
from xml.etree import ElementTree as ET  # writing only; nothing is parsed

from cuvee.graph.findings import Verdict

WIDTH, MARGIN, HEAD = 1080.0, 16.0, 46.0
"""Pixels of pictures of a whole release: what they fill, the space around it, and their title above it."""

_WIDE, _NARROW = frozenset("mwMW@%"), frozenset("ijlftr.,:;|!'()[] ")
_STRONG = 1.14
"""The width of bold letters, as a multiple of that of normal ones."""
_UNDRAWN = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")

TONES = {
    Verdict.READY: "ready",
    Verdict.INFO: "ready",
    Verdict.WAIVED: "waived",
    Verdict.WARNING: "warning",
    Verdict.WAITING: "waiting",
    Verdict.NEEDS_APPROVAL: "warning",
    Verdict.BLOCKED: "blocked",
}
"""The CSS class of a box by verdict; ``drawing.css`` styles them."""

MARKS = {"waived": "✓", "warning": "!", "waiting": "…", "blocked": "✕"}
"""A mark for each tone, since colour must not be the only sign:
https://www.w3.org/WAI/WCAG21/Understanding/use-of-color.html."""


def text_width(text: str, size: float, *, strong: bool = False) -> float:
    """Return an upper estimate of the width of ``text`` in a sans-serif font of ``size`` pixels."""
    units = sum(0.86 if char in _WIDE else 0.36 if char in _NARROW else 0.59 for char in text)
    return math.ceil(units * size * (_STRONG if strong else 1))


def fitting(text: str, size: float, room: float) -> str:
    """Return a text shortened to ``room`` pixels; empty if fewer than three letters fit."""
    if text_width(text, size) <= room:
        return text
    for length in range(len(text) - 1, 2, -1):
        short = text[:length] + "…"
        if text_width(short, size) <= room:
            return short
    return ""


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def element(parent: ET.Element, tag: str, text: str = "", **attributes: str | float) -> ET.Element:
    """Append an element; ``class_`` and ``stroke_width`` become ``class`` and ``stroke-width``."""
    named = {
        name.rstrip("_").replace("_", "-"): clean(value) if isinstance(value, str) else number(value)
        for name, value in attributes.items()
    }
    child = ET.SubElement(parent, tag, named)
    child.text = clean(text) or None
    return child


def clean(text: str) -> str:
    """Return text without characters that XML does not allow or that have no glyph."""
    return _UNDRAWN.sub("", text)


def canvas(width: float, height: float, title: str, description: str = "") -> ET.Element:
    """Return the root of a picture of ``width`` by ``height`` pixels, with a label for screen readers."""
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "drawing",
            "viewBox": f"0 0 {number(width)} {number(height)}",
            "width": number(width),
            "height": number(height),
            "role": "img",
            "aria-label": clean(title),
        },
    )
    if description:
        element(root, "desc", description)
    return root


def headed_canvas(height: float, title: str, note: str) -> ET.Element:
    """Return a `canvas` of `WIDTH` between margins, with its title and a note in the first `HEAD` pixels."""
    root = canvas(WIDTH + 2 * MARGIN, height, title)
    element(root, "text", title, x=MARGIN, y=22.0, class_="heading")
    element(root, "text", note, x=MARGIN, y=39.0, class_="quiet small")
    return root


def finish(root: ET.Element, *, standalone: bool) -> str:
    """Return the picture as text; ``standalone`` adds its style, which a page has once for all pictures."""
    if standalone:
        style = ET.Element("style")
        style.text = stylesheet()
        root.insert(0, style)
        element(root, "title", root.get("aria-label", ""))
    return ET.tostring(root, encoding="unicode") + "\n"


def stylesheet() -> str:
    """Return the style of all pictures."""
    return (files("cuvee.graph.drawing") / "drawing.css").read_text(encoding="utf-8")


def tooltip(parent: ET.Element, lines: Iterable[str]) -> None:
    """Add a tooltip with some lines."""
    element(parent, "title", " · ".join(line for line in lines if line))
