"""Cut numbered, proved and installable releases of a curated conda distribution.

>>> import cuvee
>>> release = cuvee.Release.open("dist/starter-2026.11.0")  # doctest: +SKIP
>>> release.verdict, release.findings.to_frame()  # doctest: +SKIP
"""

TYPE_CHECKING = False  # as type checkers know it; importing it from typing would cost 10 ms
if TYPE_CHECKING:
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
    from cuvee import api

    value: object = getattr(api, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
