"""The cells of the page "Your release in a notebook" run, in order, inside a running event loop."""

import ast
import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from docs_text import blocks
from tiny_distribution import Distribution

pytestmark = pytest.mark.real

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "notebook.md"
# The page speaks of the distribution that the tutorial makes; tests have cut one of the same kind.
NAMES = {"lab": "tiny", "rich": "tqdm"}


def cells() -> list[str]:
    found = [block.text for block in blocks(PAGE) if block.language == "python"]
    for shown, used in NAMES.items():
        found = [cell.replace(shown, used) for cell in found]
    return found


def run_cell(text: str, names: dict[str, object]) -> object:
    """Run a cell as a notebook does; return the value of its last line, if that is an expression."""
    tree = ast.parse(text)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102 - our own page
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307 - our own page


def test_cells_run(copied: Callable[[], Distribution], monkeypatch: pytest.MonkeyPatch) -> None:
    distribution = copied()
    monkeypatch.chdir(distribution.root)
    monkeypatch.setenv("CUVEE_CACHE_DIR", str(distribution.root / "cache"))
    names: dict[str, object] = {}

    async def notebook() -> list[object]:
        return [run_cell(cell, names) for cell in cells()]

    values = asyncio.run(notebook())
    assert values[0] == ("tiny-2026.11.0", "warning")
    assert {"release", "packages", "outcomes", "artefacts", "comparison", "again"} <= set(names)
