"""The image's manifest: what goes where. Nothing in it is used before it has been checked.

``docs/reference/payload-format.md`` describes the format.
"""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any, NamedTuple

from .decompression import decompress
from .failure import DAMAGED, InstallError, damaged
from .hashing import sha256 as hash_of

FORMAT = 2

# One part of a path: no separator of any system, no drive, no control character, not "." or "..".
_PART = r"(?!\.{1,2}(?:/|$))[^/\\:\x00-\x1f]+"
_RELATIVE = re.compile(rf"{_PART}(?:/{_PART})*")


class PayloadFile(NamedTuple):
    """A file, or a piece of one, in a frame's decompressed bytes, or in stage 0 (without ``start``).

    ``compiled`` byte code is in no frame: the desktop makes it, see `desktop_byte_code`.

    ``how`` is ``plain``; ``source``: has the time that its byte code names, or ``extra``; ``text`` and
    ``binary``: carries the placeholder ``extra``; ``piece``: belongs at offset ``extra`` of the file;
    ``record``: a conda-meta record to be completed with ``extra``, see `prefix_metadata`; only in stage 0
    ``link``: a link to ``extra``. ``sha256`` is that of these bytes, before anything is done to them.
    """

    path: str
    mode: int
    start: int
    size: int
    how: str
    sha256: str
    extra: Any = None

    @property
    def released_mode(self) -> int:
        """Return the mode that it is written with, before a mask: pieces are written one by one."""
        return self.mode | 0o200 if self.how == "piece" else self.mode

    def time(self, manifest: PayloadManifest) -> int | None:
        """Return when it was last changed, if that matters: byte code names the time of its source."""
        if self.how != "source":
            return None
        return manifest.source_time if self.extra is None else int(self.extra)


class Frame(NamedTuple):
    """A compressed stretch of the payload, ``size`` bytes at ``offset``; ``raw`` bytes decompressed.

    Only in a delta it has a ``base``: the installed files that are its dictionary.
    """

    offset: int
    size: int
    raw: int
    sha256: str
    files: list[PayloadFile]
    base: list[PayloadFile] | None = None


class PayloadPackage(NamedTuple):
    """A package of the release; ``links`` are pairs of path and target.

    ``compiled`` is the byte code that installers do not have.
    """

    name: str
    version: str
    build: str
    subdir: str
    sha256: str
    frames: list[Frame]
    links: list[list[str]]
    compiled: list[PayloadFile] = []  # noqa: RUF012 - never changed

    @property
    def stem(self) -> str:
        """Return ``name-version-build``, as records are called."""
        return f"{self.name}-{self.version}-{self.build}"


class PayloadSettings(NamedTuple):
    """The installer's settings that the runtime reads; `cuvee.image.settings` says what each means."""

    pre_install: str
    post_install: str
    pre_uninstall: str
    script_environment: dict[str, str]
    menu_packages: list[str] | None
    keep_installer: bool


class PayloadManifest(NamedTuple):
    """What an installer holds; ``extras`` are frames of files that no package brings.

    ``key`` is the publisher's public key in hex, and where in the payload the signature is, see
    `image_signature`. ``runtime_sha256`` is that of the tar of only the runtime, which a delta has; releases
    that were cut by earlier versions do not state it. ``module_roots`` are the folders of Python's modules.
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
    stage0: list[PayloadFile]
    stage0_sha256: str
    key: tuple[str, int] | None
    settings: PayloadSettings
    packages: list[PayloadPackage]
    extras: list[Frame]
    records: list[Frame]
    runtime_sha256: str = ""
    module_roots: list[str] = []  # noqa: RUF012 - never changed

    @property
    def label(self) -> str:
        """Return the title with the version."""
        return f"{self.title} {self.version}"

    @property
    def system(self) -> str:
        """Return ``linux``, ``osx`` or ``win``."""
        return self.platform.partition("-")[0]

    @property
    def command(self) -> str:
        """Return the path in the prefix of the command that administers the release."""
        name = f"{self.distribution}-admin"
        return f"Scripts/{name}.cmd" if self.system == "win" else f"bin/{name}"

    def listed(self) -> set[str]:
        """Return the packages' names as conda's history has them."""
        return {f"{package.subdir}::{package.stem}" for package in self.packages}

    def frames(self) -> list[Frame]:
        """Return all frames but those of records, the largest first, so that threads end together."""
        found = [*self.extras, *(frame for package in self.packages for frame in package.frames)]
        return sorted(found, key=lambda frame: -frame.raw)

    def compiled(self) -> dict[str, PayloadFile]:
        """Return the byte code that desktops make, by path."""
        return {file.path: file for package in self.packages for file in package.compiled}

    def links(self) -> dict[str, str]:
        """Return the target of each symbolic link of a package."""
        return {path: target for package in self.packages for path, target in package.links}


_known: dict[str, PayloadManifest] = {}
"""By hash: a verb asks for the same manifest several times, and reading one takes a while."""


def load(data: bytes, raw_size: int, sha256: str) -> PayloadManifest:
    """Return the manifest in the compressed ``data``.

    Raise if ``data`` has not the hash ``sha256``, or names any path outside the prefix.
    """
    if hash_of(data) != sha256:
        raise damaged("The installer's list of files")
    if sha256 not in _known:
        _known[sha256] = _read(data, raw_size)
    return _known[sha256]


def _read(data: bytes, raw_size: int) -> PayloadManifest:
    value = json.loads(decompress(data, raw_size))
    if value["format"] != FORMAT:
        raise InstallError(f"This installer has format {value['format']}, not {FORMAT}", DAMAGED)
    value = {"runtime_sha256": "", "module_roots": [], **value}
    fields = {name: value[name] for name in PayloadManifest._fields}
    fields["stage0"] = [
        PayloadFile(path, mode, 0, size, how, sha256, extra)
        for path, mode, size, sha256, how, extra in value["stage0"]
    ]
    fields["packages"] = [_package(package) for package in value["packages"]]
    fields["settings"] = PayloadSettings(*(value["settings"][name] for name in PayloadSettings._fields))
    for name in ("extras", "records"):
        fields[name] = [_frame(frame) for frame in value[name]]
    manifest = PayloadManifest(**fields)
    _check_paths(manifest)
    return manifest


def _package(value: dict[str, Any]) -> PayloadPackage:
    compiled = [
        PayloadFile(path, mode, 0, size, "compiled", sha256)
        for path, mode, size, sha256 in value.get("compiled", ())
    ]
    fields = {name: value[name] for name in PayloadPackage._fields[:-1]}
    fields["frames"] = [_frame(frame) for frame in value["frames"]]
    return PayloadPackage(**fields, compiled=compiled)


def _frame(value: dict[str, Any]) -> Frame:
    files = [PayloadFile(*entry) for entry in value["files"]]
    if any(file.start < 0 or file.size < 0 or file.start + file.size > value["raw"] for file in files):
        raise damaged("The installer's list of files")
    return Frame(value["offset"], value["size"], value["raw"], value["sha256"], files)


def _check_paths(manifest: PayloadManifest) -> None:
    folders = set(manifest.folders)
    for folder in folders:
        if _RELATIVE.fullmatch(folder) is None:
            raise InstallError(f"The installer names a folder outside the prefix: {folder!r}", DAMAGED)
    folders.add("")
    paths = [file.path for frame in [*manifest.frames(), *manifest.records] for file in frame.files]
    paths += [entry.path for entry in manifest.stage0]
    paths += manifest.compiled()
    links = [(path, target) for package in manifest.packages for path, target in package.links]
    links += [(entry.path, entry.extra) for entry in manifest.stage0 if entry.how == "link"]
    paths += [path for path, _ in links]
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders or _RELATIVE.fullmatch(name) is None:
            raise InstallError(f"The installer names a file outside the prefix: {path!r}", DAMAGED)
    for path, target in links:
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if not target or target.startswith("/") or inside == ".." or inside.startswith("../"):
            raise InstallError(f"The installer links {path!r} out of the prefix: {target!r}", DAMAGED)
