"""Cut numbered, proved and installable releases of a curated conda distribution.

>>> import cuvee
>>> release = cuvee.Release.open("dist/starter-2026.11.0")  # doctest: +SKIP
>>> release.verdict, release.findings.to_frame()  # doctest: +SKIP
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from cuvee.api import (
        Release,
        build_graph,
        check_channel,
        cut_release,
        diff,
        load_manifest,
        read_lock,
        why,
    )

__all__ = [
    "Release",
    "build_graph",
    "check_channel",
    "cut_release",
    "diff",
    "load_manifest",
    "read_lock",
    "why",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import cuvee`` costs nothing (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'cuvee' has no attribute {name!r}")
    value: object = getattr(_import_module("cuvee.api"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
