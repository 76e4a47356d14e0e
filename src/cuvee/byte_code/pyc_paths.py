"""Where byte code is, and what it is called in tracebacks: https://peps.python.org/pep-3147/."""

from collections.abc import Iterable


def cache_tag(minor: str) -> str:
    """Return the tag in names of byte code files of CPython 3.11: ``cpython-311``."""
    return "cpython-" + minor.replace(".", "")


def pyc_path(source: str, minor: str) -> str:
    """Return where the byte code of the source at a path is."""
    folder, _, name = source.rpartition("/")
    cached = f"__pycache__/{name.removesuffix('.py')}.{cache_tag(minor)}.pyc"
    return f"{folder}/{cached}" if folder else cached


def module_path(path: str, roots: Iterable[str]) -> str | None:
    """Return a Python source's path below the first folder of ``roots`` that has it; else `None`.

    It is the name that byte code has for its file: Python replaces it by the real one on import.
    """
    if path.endswith(".py"):
        for root in roots:
            if path.startswith(f"{root}/"):
                return path[len(root) + 1 :]
    return None
