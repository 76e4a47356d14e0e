"""The modules that must be importable when a wheel is installed, from its list of files."""

import re
from collections.abc import Callable, Iterable

_EXTENSION = re.compile(r"(\.cpython-[\w-]+|\.cp\d+-[\w-]+|\.abi3)?\.(so|pyd)$")
_EXCLUDED = {
    "conftest", "doc", "docs", "example", "examples", "benchmark", "benchmarks", "scripts", "setup", "src",
    "test", "tests", "tools",
}  # fmt: skip
_DEEPEST = 3


def import_names(
    paths: Iterable[str], *, is_script: Callable[[str], bool] = lambda _: False
) -> tuple[str, ...]:
    """Return the modules that are meant to be imported, sorted.

    These are the top-level packages and modules, and for a namespace package the packages below it. Tests,
    examples and stubs are excluded; private names too, unless there are no others. ``paths`` are relative to
    site-packages; ``is_script`` says whether the file of a top-level module is a program.
    """
    modules = {name: path for path in paths if (name := _module(path)) is not None}
    packages = {name.removesuffix(".__init__") for name in modules if name.endswith(".__init__")}
    found: set[str] = set()
    for name, path in modules.items():
        parts = name.split(".")
        if parts[-1] == "__init__":
            parts.pop()
        if not 0 < len(parts) <= _DEEPEST or any(
            part.startswith("__") or part in _EXCLUDED for part in parts
        ):
            continue
        above = {".".join(parts[:depth]) for depth in range(1, len(parts))}
        if above & packages:
            continue
        whole = ".".join(parts)
        if whole in packages or (len(parts) == 1 and not is_script(path)):
            found.add(whole)
    public = {name for name in found if not any(part.startswith("_") for part in name.split("."))}
    return tuple(sorted(public or found))


def _module(path: str) -> str | None:
    if path.endswith(".py"):
        stem = path.removesuffix(".py")
    elif _EXTENSION.search(path):
        stem = _EXTENSION.sub("", path)
    else:
        return None
    return stem.replace("/", ".") if all(map(str.isidentifier, stem.split("/"))) else None
