"""The Python files of the repository, each parsed once for all tests that read them."""

import ast
import functools
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "cuvee"

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_WITH_DOCSTRING = (ast.Module, ast.ClassDef, *_FUNCTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A docstring, a comment or a string constant; ``line`` counts from 1."""

    kind: str
    text: str
    line: int


@functools.cache
def python_files(folder: Path = SOURCE) -> tuple[Path, ...]:
    """Return the Python files below a folder, in the order of their paths."""
    return tuple(sorted(folder.rglob("*.py")))


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def imports(path: Path) -> tuple[str, ...]:
    """Return each module that a file imports, at module level or in a function."""
    found: list[str] = []
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.append(node.module)
        elif isinstance(node, ast.Import):
            found.extend(name.name for name in node.names)
    return tuple(found)


def texts(path: Path) -> Iterator[Text]:
    """Yield what a file says to people: its docstrings, comments and string constants."""
    yield from _strings(parsed(path))
    yield from _comments(path.read_text(encoding="utf-8"))


def _strings(tree: ast.Module) -> Iterator[Text]:
    kinds: dict[int, str] = {}  # of docstrings, and of parts of f-strings, by id
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            kinds.setdefault(id(node.value), "docstring")
        elif isinstance(node, ast.JoinedStr):
            kinds.update((id(part), "") for part in node.values)
        if isinstance(node, _WITH_DOCSTRING) and ast.get_docstring(node) is not None:
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            kinds[id(first.value)] = "function" if _is_plain_function(node) else "docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield Text(kind="string", text="".join(map(str, parts)), line=node.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and kinds.get(id(node)) != "":
            yield Text(kind=kinds.get(id(node), "string"), text=node.value, line=node.lineno)


def _is_plain_function(node: ast.AST) -> bool:
    """Return whether a node is a function that is called as one, rather than a property."""
    if not isinstance(node, _FUNCTIONS):
        return False
    return not any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def _comments(text: str) -> Iterator[Text]:
    """Yield comments; those on consecutive lines as one."""
    lines: list[str] = []
    start = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != start + len(lines):
            yield Text(kind="comment", text="\n".join(lines), line=start)
            lines = []
        if not lines:
            start = token.start[0]
        lines.append(token.string.lstrip("#").strip())
    if lines:
        yield Text(kind="comment", text="\n".join(lines), line=start)
