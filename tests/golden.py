"""Texts that are kept as files: what people read is reviewed as people read it.

After changing one on purpose, write the files again and review the difference::

    CUVEE_REGENERATE=1 pytest tests/…
"""

import os
from pathlib import Path


def same_as(golden: Path, text: str) -> None:
    """Hold ``text`` against the file ``golden``."""
    if os.environ.get("CUVEE_REGENERATE"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
