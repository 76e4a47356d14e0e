"""Writing SVG: elements, texts that fit, and one set of colours for all pictures."""

import math
import re
from collections.abc import Iterable
from importlib.resources import files
from xml.etree import ElementTree as ET  # writing only; nothing is parsed

from cuvee.graph.findings import Verdict

_WIDE, _NARROW = frozenset("mwMW@%"), frozenset("ijlftr.,:;|!'()[] ")
_STRONG = 1.14
"""How much wider bold letters are."""
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
"""The class of a box; ``drawing.css`` says how each looks."""

MARKS = {"waived": "✓", "warning": "!", "waiting": "…", "blocked": "✕"}
"""What says the same as the colour, for those who do not see it."""


def text_width(text: str, size: float, *, strong: bool = False) -> float:
    """Estimate how wide ``text`` is in a sans-serif of ``size`` pixels; rather too much than too little."""
    units = sum(0.86 if char in _WIDE else 0.36 if char in _NARROW else 0.59 for char in text)
    return math.ceil(units * size * (_STRONG if strong else 1))


def fitting(text: str, size: float, room: float) -> str:
    """Shorten a text to ``room`` pixels; empty if not even three letters fit."""
    if text_width(text, size) <= room:
        return text
    for length in range(len(text) - 1, 2, -1):
        short = text[:length] + "…"
        if text_width(short, size) <= room:
            return short
    return ""


def number(value: float) -> str:
    """Write a coordinate: one decimal, and none that says nothing."""
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
    """Drop what XML can not carry, and what would be drawn as nothing."""
    return _UNDRAWN.sub("", text)


def canvas(width: float, height: float, title: str, description: str = "") -> ET.Element:
    """Begin a picture of ``width`` by ``height`` pixels that a screen reader can name."""
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


def finish(root: ET.Element, *, alone: bool) -> str:
    """Give the picture as text; ``alone`` adds its style, which a page has once for all of its pictures."""
    if alone:
        style = ET.Element("style")
        style.text = stylesheet()
        root.insert(0, style)
        element(root, "title", root.get("aria-label", ""))
    return ET.tostring(root, encoding="unicode") + "\n"


def stylesheet() -> str:
    """Give the style of all pictures."""
    return (files("cuvee.graph.drawing") / "drawing.css").read_text(encoding="utf-8")


def tooltip(parent: ET.Element, lines: Iterable[str]) -> None:
    """Let the pointer show some lines."""
    element(parent, "title", " · ".join(line for line in lines if line))
