"""Words for messages: quoted values, lists, and the known word that was likely meant."""

import json
import unicodedata
from collections.abc import Iterable, Sequence

_SEARCHED = 200


def quote(text: str, limit: int = 60) -> str:
    """Return a value for a message: in quotes, on one line, cut when long."""
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    return json.dumps(visible(shown.replace("\n", " ")), ensure_ascii=False)


def nearest(wrong: str, known: Iterable[str]) -> str | None:
    """Return the known word that ``wrong`` was most likely meant to be, if any is near.

    Of very many words, those with the same first letter are looked at first, and then some others.
    """
    import difflib

    words = sorted(known, key=lambda word: word[:1].lower() != wrong[:1].lower())
    by_lower = {word.lower(): word for word in words[:_SEARCHED]}
    found = difflib.get_close_matches(wrong.lower()[:80], by_lower, n=1, cutoff=0.65)
    return by_lower[found[0]] if found else None


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return ``did you mean "packages"?``, or nothing."""
    word = nearest(wrong, known)
    return f"did you mean {quote(word)}?" if word else ""


def listing(words: Sequence[str], limit: int = 20) -> str:
    """Return words joined for a message; of many, the rest is counted."""
    rest = f", … ({len(words) - limit} more)" if len(words) > limit else ""
    return ", ".join(words[:limit]) + rest


def visible(text: str) -> str:
    """Return a line safe for a terminal: tabs become spaces, control and invisible characters a mark."""
    return "".join(
        "    "
        if char == "\t"
        else "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(char)[0] == "C"
        else char
        for char in text
    )
