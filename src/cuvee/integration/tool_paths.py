"""Where programs find tools that ride beside a release: after all that the release has."""

from collections.abc import Callable, Mapping
from pathlib import Path

from cuvee.integration.runners.protocol import Sandbox
from cuvee.platforms import get

_WINDOWS_FOLDERS = ("", "Library/mingw-w64/bin", "Library/usr/bin", "Library/bin", "Scripts", "bin")
"""Where a conda prefix for Windows has programs, the first one first."""

_PROGRAMS = ("bin",)


def paths_with_tools(
    environment: Mapping[str, str], sandbox: Sandbox, beside: Path, seen_as: Callable[[Path], str]
) -> dict[str, str]:
    """Return the variables with which programs and Python find tools, besides those of ``environment``.

    Windows' programs under Wine have a PATH of their own, before which Wine puts WINEPATH:
    https://gitlab.winehq.org/wine/wine/-/wikis/Wine-User's-Guide
    """
    own, tools = ([seen_as(folder) for folder in _folders(top, sandbox)] for top in (sandbox.prefix, beside))
    start = {"PYTHONPATH": seen_as(beside / "start")}
    if "WINEPREFIX" in environment:
        return {"WINEPATH": ";".join((*own, *tools)), **start}
    separator = ";" if get(sandbox.platform).is_windows else ":"
    folders = environment.get("PATH", "").split(separator)
    position = max(
        (number for number, folder in enumerate(folders, 1) if folder in own), default=len(folders)
    )
    folders[position:position] = tools
    return {"PATH": separator.join(folders), **start}


def tool_program(beside: Path, name: str, sandbox: Sandbox) -> Path | None:
    """Return the program of a tool; `None` if there is none of this name."""
    endings = (".exe", ".bat", ".cmd") if get(sandbox.platform).is_windows else ("",)
    places = (folder / f"{name}{ending}" for folder in _folders(beside, sandbox) for ending in endings)
    return next((place for place in places if place.exists()), None)


def _folders(prefix: Path, sandbox: Sandbox) -> list[Path]:
    names = _WINDOWS_FOLDERS if get(sandbox.platform).is_windows else _PROGRAMS
    return [prefix / name for name in names]
