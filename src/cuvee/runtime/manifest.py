"""The image's manifest: what goes where. Nothing in it is believed before it has been checked."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any, NamedTuple

from .decode import Decoder
from .digest import sha256 as digest
from .failure import DAMAGED, InstallError, damaged

FORMAT = 2

# One part of a path: no separator of any system, no drive, no control character, not "." or "..".
_PART = r"(?!\.{1,2}(?:/|$))[^/\\:\x00-\x1f]+"
_RELATIVE = re.compile(rf"{_PART}(?:/{_PART})*")


class File(NamedTuple):
    """A file, or a piece of one, in a frame's decompressed bytes.

    ``how`` is ``plain``; ``source``: has the time that its byte code names, or ``extra``; ``text`` and
    ``binary``: carries the placeholder ``extra``; ``piece``: belongs at offset ``extra`` of the file;
    ``record``: a conda-meta record to be completed with ``extra``, see `finishing`. ``sha256`` is that of
    these bytes, before anything is done to them.
    """

    path: str
    mode: int
    start: int
    size: int
    how: str
    sha256: str
    extra: Any = None


class Early(NamedTuple):
    """A file that stage 0 has put in place already; ``how`` and ``extra`` as in `File`, or a ``link``."""

    path: str
    mode: int
    size: int
    sha256: str
    how: str
    extra: Any


class Frame(NamedTuple):
    """A compressed stretch of the payload, ``size`` bytes at ``offset``; ``raw`` bytes decompressed."""

    offset: int
    size: int
    raw: int
    sha256: str
    files: list[File]


class Package(NamedTuple):
    """A package of the release; ``links`` are pairs of path and target."""

    name: str
    version: str
    build: str
    subdir: str
    sha256: str
    frames: list[Frame]
    links: list[list[str]]

    @property
    def stem(self) -> str:
        """``name-version-build``, as records are called."""
        return f"{self.name}-{self.version}-{self.build}"


class Settings(NamedTuple):
    """What an installer does besides placing files; see `cuvee.installers.model` for the meaning of each."""

    pre_install: str
    post_install: str
    pre_uninstall: str
    script_environment: dict[str, str]
    condarc: str | None
    menu_packages: list[str] | None
    initialize: str
    register_python: bool
    default_prefix: str
    default_prefix_all_users: str
    keep_installer: bool = False


class Manifest(NamedTuple):
    """What an installer holds; ``extras`` are frames of files that no package brings.

    ``key`` is the publisher's public key in hex, and where in the payload the signature is; see `signature`.
    """

    distribution: str
    version: str
    title: str
    platform: str
    interpreter: str
    raw_size: int
    source_time: int
    prefix_limit: int | None
    requested: list[str]
    folders: list[str]
    stage0: list[Early]
    stage0_sha256: str
    key: list[Any] | None
    settings: Settings
    packages: list[Package]
    extras: list[Frame]
    records: list[Frame]

    def listed(self) -> set[str]:
        """Name the packages as conda's history does."""
        return {f"{package.subdir}::{package.stem}" for package in self.packages}

    def frames(self) -> list[Frame]:
        """Give all frames but those of records, the largest first, so that no worker ends last alone."""
        found = [*self.extras, *(frame for package in self.packages for frame in package.frames)]
        return sorted(found, key=lambda frame: -frame.raw)


_known: dict[str, Manifest] = {}
"""By hash: a verb asks for the same list several times, and reading one takes a while."""


def load(data: bytes, raw_size: int, sha256: str) -> Manifest:
    """Give the manifest in the compressed ``data``, if that has the hash ``sha256``.

    A manifest that names any place outside the prefix is refused.
    """
    if digest(data) != sha256:
        raise damaged("The installer's list of files")
    if sha256 not in _known:
        _known[sha256] = _read(data, raw_size)
    return _known[sha256]


def _read(data: bytes, raw_size: int) -> Manifest:
    value = json.loads(Decoder().decompress(data, raw_size))
    if value["format"] != FORMAT:
        raise InstallError(f"This installer has format {value['format']}, not {FORMAT}", DAMAGED)
    fields = {name: value[name] for name in Manifest._fields}
    fields["stage0"] = [Early(*entry) for entry in value["stage0"]]
    fields["packages"] = [_package(package) for package in value["packages"]]
    known = {name: item for name, item in value["settings"].items() if name in Settings._fields}
    fields["settings"] = Settings(**known)  # a later release may have settings that this does not know
    for name in ("extras", "records"):
        fields[name] = [_frame(frame) for frame in value[name]]
    manifest = Manifest(**fields)
    _check_paths(manifest)
    return manifest


def _package(value: dict[str, Any]) -> Package:
    fields = {name: value[name] for name in Package._fields}
    return Package(**fields | {"frames": [_frame(frame) for frame in value["frames"]]})


def _frame(value: dict[str, Any]) -> Frame:
    files = [File(*entry) for entry in value["files"]]
    if any(file.start < 0 or file.size < 0 or file.start + file.size > value["raw"] for file in files):
        raise damaged("The installer's list of files")
    return Frame(value["offset"], value["size"], value["raw"], value["sha256"], files)


def _check_paths(manifest: Manifest) -> None:
    folders = set(manifest.folders)
    for folder in folders:
        if _RELATIVE.fullmatch(folder) is None:
            raise InstallError(f"The installer names a folder outside the prefix: {folder!r}", DAMAGED)
    folders.add("")
    paths = [file.path for frame in [*manifest.frames(), *manifest.records] for file in frame.files]
    paths += [early.path for early in manifest.stage0]
    links = [(path, target) for package in manifest.packages for path, target in package.links]
    links += [(early.path, early.extra) for early in manifest.stage0 if early.how == "link"]
    paths += [path for path, _ in links]
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders or _RELATIVE.fullmatch(name) is None:
            raise InstallError(f"The installer names a file outside the prefix: {path!r}", DAMAGED)
    for path, target in links:
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if target.startswith("/") or inside == ".." or inside.startswith("../"):
            raise InstallError(f"The installer links {path!r} out of the prefix: {target!r}", DAMAGED)
