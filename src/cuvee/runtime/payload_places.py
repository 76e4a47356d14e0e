"""What no installer may have: packages with paths of the installer or of Python, and links out of the prefix.

`cuvee.conda.reserved_paths` and `link_targets` have the same rules, and no such installer is made. They are
not held against a prefix, so that a release with such a file can still be upgraded and removed. One is
missing here: ``__clobbers__``, where the link plan itself moves a file that two packages have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from .failure import DAMAGED, InstallError
from .payload_manifest import PayloadManifest

_MOST_LINKS = 255  # more than any system follows in one path
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
    """Raise if a package or an extra file has a reserved path, or if a link leads out of the prefix."""
    _check_reserved(manifest)
    _check_links(manifest)


def _check_reserved(manifest: PayloadManifest) -> None:
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
        yield from ((package.name, file.path) for file in package.compiled)
    yield from (("python", entry.path) for entry in manifest.stage0)
    extras = (file.path for frame in manifest.extras for file in frame.files)
    yield from (("", path) for path in extras if path != _SBOM)


def _check_links(manifest: PayloadManifest) -> None:
    # Text by itself does not tell: if `up` is a link to `../..`, then `a/up/../x` is not `a/x`.
    fold = str.casefold if manifest.system != "linux" else str
    links = {fold(path): target for path, target in _links(manifest)}
    if manifest.system == "win":
        for path, target in links.items():
            links[path] = "/" if target[1:2] == ":" else target.replace("\\", "/")
    for folder in manifest.folders:
        if fold(folder) in links:
            raise InstallError(f"The installer has a folder where it has a link: {folder!r}", DAMAGED)
    for path, target in _links(manifest):
        if _leaves(path, links, fold):
            raise InstallError(f"The installer links {path!r} out of the prefix: {target!r}", DAMAGED)


def _leaves(path: str, links: dict[str, str], fold: Callable[[str], str]) -> bool:
    """Return whether a path leaves the prefix as a system follows it, part by part."""
    todo, followed = path.split("/")[::-1], 0
    done: list[str] = []
    while todo and followed <= _MOST_LINKS:
        part = todo.pop()
        if part == "..":
            if not done:
                return True
            done.pop()
        elif part not in ("", "."):
            done.append(part)
            target = links.get(fold("/".join(done)))
            if target is not None:
                if target.startswith("/"):
                    return True
                followed += 1
                done.pop()
                todo += target.split("/")[::-1]
    return False


def _links(manifest: PayloadManifest) -> Iterator[tuple[str, str]]:
    for package in manifest.packages:
        yield from ((path, target) for path, target in package.links)
    yield from ((entry.path, entry.extra) for entry in manifest.stage0 if entry.how == "link")
