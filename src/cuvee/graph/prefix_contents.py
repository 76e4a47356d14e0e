"""The contents of a platform's prefix: the files of all packages, each at the path that linking gives it."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from cuvee import platforms
from cuvee.channel.inspection.model import (
    ArchiveContents,
    ArchivedFile,
    Binary,
    PythonDistribution,
    UnreadableArchive,
)
from cuvee.conda.noarch_python import default_site_packages, noarch_target
from cuvee.conda.package_record import LockedPackage
from cuvee.lock.model import PlatformLock
from cuvee.platforms import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class PathClaim:
    """One package's claim to a path of the prefix.

    Attributes
    ----------
    path
        Relative to the prefix, with ``/``.
    file
        The file of the archive; `None` for a command that linking makes.
    content
        Equal for two claims if and only if they write the same content.
    """

    package: LockedPackage
    path: str
    file: ArchivedFile | None
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledBinary:
    """A program or library, and its path in the prefix."""

    package: LockedPackage
    path: str
    binary: Binary


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedDistribution:
    """A Python distribution, and the path of its metadata in the prefix."""

    package: LockedPackage
    path: str
    distribution: PythonDistribution


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrefixContents:
    """The contents of one platform's archives; compared by identity.

    Attributes
    ----------
    archives
        By package name.
    unreadable
        By package name, why its archive could not be read.
    files
        By path, all claims to it, in the order of the packages' names; directories are left out.
    binaries
        Every program and library of the closure.
    distributions
        Every Python distribution of the closure.
    """

    platform: Platform
    archives: Mapping[str, ArchiveContents]
    unreadable: Mapping[str, UnreadableArchive]
    files: Mapping[str, tuple[PathClaim, ...]]
    binaries: tuple[InstalledBinary, ...]
    distributions: tuple[LinkedDistribution, ...]

    def claims(self) -> Iterator[PathClaim]:
        """Yield all claims to all paths."""
        return chain.from_iterable(self.files.values())


def contents_of(
    lock: PlatformLock, known: Mapping[str, ArchiveContents | UnreadableArchive]
) -> PrefixContents:
    """Return the contents of a platform's prefix, from what is known of each archive by its identifier."""
    platform = platforms.get(lock.platform)
    archives: dict[str, ArchiveContents] = {}
    unreadable: dict[str, UnreadableArchive] = {}
    for package in lock.packages:
        found = known.get(package.identifier, UnreadableArchive(reason="the archive was not opened"))
        if isinstance(found, ArchiveContents):
            archives[package.name] = found
        else:
            unreadable[package.name] = found
    linking = _Linking(platform, lock, archives)
    files: dict[str, list[PathClaim]] = {}
    binaries: list[InstalledBinary] = []
    distributions: list[LinkedDistribution] = []
    for package in lock.packages:
        if package.name in archives:
            for claim in linking.claims(package, archives[package.name]):
                files.setdefault(claim.path, []).append(claim)
            for binary in archives[package.name].binaries:
                path = linking.target(package, binary.path)
                binaries.append(InstalledBinary(package=package, path=path, binary=binary))
            for item in archives[package.name].distributions:
                path = linking.target(package, item.path)
                distributions.append(LinkedDistribution(package=package, path=path, distribution=item))
    return PrefixContents(
        platform=platform,
        archives=archives,
        unreadable=unreadable,
        files={path: tuple(claims) for path, claims in files.items()},
        binaries=tuple(binaries),
        distributions=tuple(distributions),
    )


class _Linking:
    """The paths that linking gives to files on one platform.

    Packages that are ``noarch: python`` leave the paths of modules and commands to the linker:
    https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html#noarch.
    """

    def __init__(
        self, platform: Platform, lock: PlatformLock, archives: Mapping[str, ArchiveContents]
    ) -> None:
        stated = archives["python"].index.python_site_packages_path if "python" in archives else None
        self._site_packages = stated or "site-packages"
        if not stated and "python" in lock.by_name:
            version = lock.by_name["python"].version
            self._site_packages = default_site_packages(version, is_windows=platform.is_windows)
        self._platform = platform
        self._scripts = "Scripts" if platform.is_windows else "bin"

    def target(self, package: LockedPackage, path: str) -> str:
        if package.noarch != "python":
            return path
        return noarch_target(path, site_packages=self._site_packages, scripts=self._scripts)

    def claims(self, package: LockedPackage, archive: ArchiveContents) -> Iterator[PathClaim]:
        for file in archive.files:
            if file.file_type != "directory":
                content = f"{file.sha256} {file.placeholder}"
                if file.file_type == "softlink":
                    content = f"-> {file.link_target}"
                yield PathClaim(
                    package=package, path=self.target(package, file.path), file=file, content=content
                )
        if package.noarch == "python":
            for line in archive.entry_points:
                yield from self._commands(package, line)

    def _commands(self, package: LockedPackage, line: str) -> Iterator[PathClaim]:
        name, _, function = (part.strip() for part in line.partition("="))
        for suffix in ("-script.py", ".exe") if self._platform.is_windows else ("",):
            # On Windows all commands have the same launcher; it runs the script of its name beside it.
            content = "launcher" if suffix == ".exe" else f"calls {function}"
            path = f"{self._scripts}/{name}{suffix}"
            yield PathClaim(package=package, path=path, file=None, content=content)


def resolve_in_prefix(folder: str, path: str) -> str | None:
    """Return where ``path``, relative to ``folder``, leads within the prefix; `None` if it leaves it.

    Only text is compared. Both use ``/``; the prefix itself is ``""`` as a folder and ``.`` as a result.
    """
    if path.startswith("/"):
        return None
    joined = posixpath.normpath(posixpath.join(folder, path))
    return None if joined == ".." or joined.startswith("../") else joined
