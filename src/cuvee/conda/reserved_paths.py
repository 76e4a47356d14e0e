"""The paths of a prefix that packages must not own: those of the installer, and those of Python.

Files at these paths run in the installer and in the command that administers a release, often as root. So
each path is the installer's own, or the package `python`'s. `cuvee.runtime.payload_places` refuses the same
paths on desktops.
"""

import re
from functools import lru_cache

from cuvee.platforms import Platform

# `conda-meta` itself is a folder, so that no package can have a link there. The last two are of Windows: it
# looks for NAME.exe before NAME.cmd, and finds `conda-meta` as CONDA-~1 too.
_INSTALLER = (
    r"conda-meta(?:/cuvee[^/]*(?:/.*)?|/history|/[^/]*\.json)?|\.cuvee[^/]*(?:/.*)?|bin/NAME-admin"
    r"|(?:cuvee-saved|__clobbers__)(?:/.*)?|\.nonadmin"
)
_INSTALLER_ON_WINDOWS = (
    r"|scripts/NAME-admin(?:\.[^/]*)?|uninstall-[^/]*\.exe"
    r"|(?:conda-meta/|scripts/)?[^/]{1,6}~[0-9][^/]*(?:/.*)?"
)

# The interpreter, and what decides where it finds modules, also with -I and -S; a zip comes before the
# standard library: https://docs.python.org/3/library/sys_path_init.html and CPython's Modules/getpath.py.
_PYTHON = (
    r"(?:bin/|lib/|dlls/)?(?:[^/]*\._pth|pyvenv\.cfg|pybuilddir\.txt|modules/setup\.local)"
    r"|bin/python(?:3(?:\.[0-9]+)?)?|lib/python[0-9]+t?\.zip|lib/python[0-9]+\.[0-9]+t?(?:/(?!OTHERS).*)?"
)
_PYTHON_ON_WINDOWS = (
    r"(?:bin/|lib/|dlls/)?(?:[^/]*\._pth|pyvenv\.cfg|pybuilddir\.txt|modules/setup\.local)"
    r"|pythonw?\.exe|python[0-9]+t?\.(?:dll|zip)|(?:dlls|lib)(?:/(?!OTHERS).*)?"
)

# Below the standard library: its tests and its static library are packages of their own on conda-forge
# (python-regr-testsuite, libpython-static, libpython); no other module imports these.
_OTHERS = r"site-packages/|(?:.*/)?(?:tests?|idle_test)/|config-[^/]*/|distutils/distutils\.cfg$"


@lru_cache
def _pattern(distribution: str, *, is_windows: bool) -> re.Pattern[str]:
    own = _INSTALLER + (_INSTALLER_ON_WINDOWS if is_windows else "")
    python = (_PYTHON_ON_WINDOWS if is_windows else _PYTHON).replace("OTHERS", _OTHERS)
    return re.compile(
        f"(?P<installer>{own.replace('NAME', re.escape(distribution.casefold()))})|(?P<python>{python})"
    )


def reserved_for(path: str, package: str, *, distribution: str, platform: Platform) -> str | None:
    """Return whose a path is, if that is not the package that has it; `None` if the package may have it.

    Case counts on no platform: some file systems ignore it, and no package needs such a name.
    """
    if platform.is_windows:  # which ignores dots and spaces at the end of names
        path = "/".join(part.rstrip(". ") for part in path.split("/"))
    match = _pattern(distribution, is_windows=platform.is_windows).fullmatch(path.casefold())
    if match is None or (match.lastgroup == "python" == package):
        return None
    return {"python": "the package python"}.get(match.lastgroup or "", "the installer")
