"""The patches of a manifest, read and checked before any work starts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.channel.patches.unified_diff import FilePatch, parse_patch
from cuvee.codec import Json, encode
from cuvee.errors import CuveeError, DocumentError, StorageError
from cuvee.files import canonical_json, fingerprint, sha256_bytes
from cuvee.manifest.model import PatchedPackage

PATCHED_BUILDS = 10_000
"""How much is added to a build number for each revision, so that it is above all that others have."""

MARK = "patched"
"""What the build string of a patched package has before its number, as lists of packages show it."""


_FOLDER = "recipe/patched"
PATCHES = f"{_FOLDER}/patched.json"
"""What a patched package says of its patches, below ``info``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchFile:
    """A file of a patched package: a patch, or a test.

    Attributes
    ----------
    name
        As the manifest has it.
    """

    name: str
    data: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Its hex digest."""
        return sha256_bytes(self.data)

    @property
    def text(self) -> str:
        """Its text; raises `DocumentError` if that is not UTF-8."""
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            raise DocumentError(f"{self.name} is not in UTF-8: {error}") from None

    @property
    def diff(self) -> tuple[FilePatch, ...]:
        """What it does, if it is a patch; for errors see `parse_patch`."""
        return parse_patch(self.data, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSet:
    """A patched package with the content of its files."""

    package: PatchedPackage
    patches: tuple[PatchFile, ...]
    tests: tuple[PatchFile, ...] = ()

    @property
    def number(self) -> int:
        """What is added to the build number."""
        return PATCHED_BUILDS * self.package.revision

    @property
    def statement(self) -> Mapping[str, Json]:
        """What the package says of its patches."""
        package = self.package
        return {
            "name": package.name,
            "wheel": package.wheel,
            "sha256": package.sha256,
            "patches": [{"file": item.name, "sha256": item.sha256} for item in self.patches],
            "fixes": list(package.fixes),
            "why": package.why,
            "author": package.author,
            "upstream-fixed-in": package.upstream_fixed_in,
            "revision": package.revision,
        }

    @property
    def digest(self) -> str:
        """The hash of everything here that changes the package."""
        tests = [[item.name, item.sha256] for item in self.tests]
        return fingerprint([encode(self.statement), tests])

    def info_files(self) -> dict[str, bytes]:
        """Return what travels in ``info`` of the package, by path below it."""
        files = {f"{_FOLDER}/files/{item.name}": item.data for item in (*self.patches, *self.tests)}
        return {**files, PATCHES: canonical_json(self.statement)}


def read_patches(packages: Iterable[PatchedPackage], folder: Path) -> tuple[PatchSet, ...]:
    """Return patched packages with their files, which are in ``folder``.

    Raises
    ------
    DocumentError
        With what is wrong with all patches, as far as it does not depend on what they are applied to.
    StorageError
        If a file cannot be read.
    """
    failed: list[DocumentError] = []
    found: list[PatchSet] = []
    for package in packages:
        patches, tests = (
            tuple(PatchFile(name=name, data=_read(folder / name)) for name in names)
            for names in (package.patches, package.tests)
        )
        for item in (*patches, *tests):
            try:
                _check(item, is_patch=item in patches)
            except DocumentError as error:
                failed.append(error)
        found.append(PatchSet(package=package, patches=patches, tests=tests))
    if failed:
        hints = " ".join(dict.fromkeys(error.hint for error in failed if error.hint))
        raise DocumentError("\n".join(error.message for error in failed), hint=hints)
    return tuple(found)


def patched_build(build: str, number: int) -> str:
    """Return the build string of a package with patches, from that without; ``number`` is the new one."""
    head, _, last = build.rpartition("_")
    base = head if last.isdigit() else build
    return "_".join(part for part in (base, MARK, str(number)) if part)


def is_patched(build: str) -> bool:
    """Whether a build string is that of a patched package."""
    head, _, number = build.rpartition("_")
    return number.isdigit() and head.rpartition("_")[2] == MARK


def _check(item: PatchFile, *, is_patch: bool) -> None:
    """Raise `DocumentError` if a file is not what it should be."""
    if is_patch:
        parse_patch(item.data, item.name)
    else:
        str(item.text)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> CuveeError:
    return StorageError(f"{path} cannot be read: {error.strerror}", hint="Name a file that you may read.")
