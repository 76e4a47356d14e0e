"""The paths that no package of an installer may have: those of the installer, and those of Python.

`cuvee.conda.reserved_paths` has the same rules, and says why; with them no such installer is made. They are
not held against a prefix, so that a release with such a file can still be upgraded and removed. One is
missing here: ``__clobbers__``, where the link plan itself moves a file that two packages have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .failure import DAMAGED, InstallError
from .payload_manifest import PayloadManifest

_SBOM = "conda-meta/cuvee/sbom.cdx.json"
_INSTALLER = (
    r"conda-meta(?:/cuvee[^/]*(?:/.*)?|/history|/[^/]*\.json)?|\.cuvee[^/]*(?:/.*)?|bin/NAME-admin"
    r"|cuvee-saved(?:/.*)?|\.nonadmin"
)
_INSTALLER_ON_WINDOWS = (
    r"|scripts/NAME-admin(?:\.[^/]*)?|uninstall-[^/]*\.exe"
    r"|(?:conda-meta/|scripts/)?[^/]{1,6}~[0-9][^/]*(?:/.*)?"
)
_OTHERS = r"site-packages/|(?:.*/)?(?:tests?|idle_test)/|config-[^/]*/|distutils/distutils\.cfg$"
_START = r"(?:bin/|lib/|dlls/)?(?:[^/]*\._pth|pyvenv\.cfg|pybuilddir\.txt|modules/setup\.local)"
_PYTHON = (
    rf"{_START}|bin/python(?:3(?:\.[0-9]+)?)?|lib/python[0-9]+t?\.zip"
    rf"|lib/python[0-9]+\.[0-9]+t?(?:/(?!{_OTHERS}).*)?"
)
_PYTHON_ON_WINDOWS = rf"{_START}|pythonw?\.exe|python[0-9]+t?\.(?:dll|zip)|(?:dlls|lib)(?:/(?!{_OTHERS}).*)?"


def check_places(manifest: PayloadManifest) -> None:
    """Raise if a package, or an extra file, has a path that is reserved."""
    windows = manifest.system == "win"
    own = _INSTALLER + (_INSTALLER_ON_WINDOWS if windows else "")
    installer = re.compile(own.replace("NAME", re.escape(manifest.distribution.casefold())))
    python = re.compile(_PYTHON_ON_WINDOWS if windows else _PYTHON)
    for package, path in _paths(manifest):
        key = path
        if windows:
            key = "/".join(part.rstrip(". ") for part in path.split("/"))
        key = key.casefold()
        if installer.fullmatch(key) or (package != "python" and python.fullmatch(key)):
            raise InstallError(f"{package or 'An extra file'} has a reserved path: {path!r}", DAMAGED)


def _paths(manifest: PayloadManifest) -> Iterator[tuple[str, str]]:
    """Yield all paths with the packages that have them; those of stage 0 count as Python's."""
    for package in manifest.packages:
        yield from ((package.name, path) for path, _ in package.links)
        yield from ((package.name, file.path) for frame in package.frames for file in frame.files)
    yield from (("python", entry.path) for entry in manifest.stage0)
    extras = (file.path for frame in manifest.extras for file in frame.files)
    yield from (("", path) for path in extras if path != _SBOM)
