"""The glossary has each term once, and in order."""

import re
from pathlib import Path


def test_terms_are_in_order_and_explained_once(docs: Path) -> None:
    text = (docs / "reference" / "glossary.md").read_text(encoding="utf-8")
    sections = [re.findall(r"^(\S.*)\n: ", part, re.MULTILINE) for part in text.split("\n## ")[1:]]
    assert all(terms == sorted(terms, key=str.casefold) for terms in sections)
    everything = [term for terms in sections for term in terms]
    assert len(set(everything)) == len(everything) > 60
