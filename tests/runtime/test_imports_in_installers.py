"""What installers do not have is not imported by the runtime before it is needed."""

import ast
from pathlib import Path

import cuvee.runtime
from cuvee.image.stage0 import REFUSED


def test_no_module_of_the_runtime_imports_what_installers_lack() -> None:
    modules = sorted(Path(cuvee.runtime.__file__).parent.glob("*.py"))
    imported = {path.name: _imported(ast.parse(path.read_bytes())) for path in modules}
    assert "os" in imported["command_line.py"]
    assert {name: found & set(REFUSED) for name, found in imported.items() if found & set(REFUSED)} == {}


def _imported(tree: ast.Module) -> set[str]:
    """Return the first parts of what statements outside of functions import."""
    found: set[str] = set()
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            todo += ast.iter_child_nodes(node)
    return found
