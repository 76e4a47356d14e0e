"""Files of a prefix that belong to no package: ``.condarc``, extra files of the settings, package lists."""

from collections.abc import Iterable

from cuvee.conda.explicit_list import explicit_list
from cuvee.conda.reserved_paths import reserved_for
from cuvee.errors import BlockedError, IntegrityError
from cuvee.image.frames import Part
from cuvee.image.model import SBOM, FileKind, PlannedFile, ReleaseLabel
from cuvee.image.settings import InstallerSettings
from cuvee.image.spool import Spool, SpooledBytes
from cuvee.lock.model import PlatformLock
from cuvee.platforms import Platform

CONDARC = ".condarc"
_CHUNK = 1 << 20
EXPLICIT = "conda-meta/initial-state.explicit.txt"
"""The explicit list of the installed packages, under the name that constructor's installers use."""


def extra_parts(
    lock: PlatformLock, release: ReleaseLabel, settings: InstallerSettings, sbom: bytes, spool: Spool
) -> list[Part]:
    """Return the files, sorted by path; those that the settings name are read into ``spool``.

    Raises
    ------
    IntegrityError
        If a file has changed since the settings were read.
    BlockedError
        If two of the files have the same path.
    """
    name = release.release_name
    # The URLs of local packages name no folder of this machine.
    explicit = explicit_list(lock.packages, lock.platform, comments=[name], release=f"file:///{name}")
    found: dict[str, tuple[bytes | SpooledBytes, int]] = {EXPLICIT: (explicit.encode(), 0o644)}
    if sbom:
        found[SBOM] = sbom, 0o644
    if settings.condarc is not None:
        found[CONDARC] = settings.condarc.encode(), 0o644
    for file in settings.extra_files:
        with file.source.open("rb") as stream:
            data = spool.add(iter(lambda: stream.read(_CHUNK), b""))
        if data.sha256 != file.sha256:
            raise IntegrityError(f"{file.source} has changed while the release was cut", hint="Cut it again.")
        if file.target in found:
            raise BlockedError(
                f"{file.source} cannot be {file.target} in the prefix: the installer writes that file itself",
                hint="Name another target, or leave out the condarc in installer.yaml.",
            )
        found[file.target] = data, 0o755 if file.executable else 0o644
    return [
        Part(path=path, mode=mode, data=data, how="plain") for path, (data, mode) in sorted(found.items())
    ]


def plan_extra_files(
    parts: Iterable[Part], packages: Iterable[PlannedFile], *, distribution: str, platform: Platform
) -> list[PlannedFile]:
    """Return the files as planned ones.

    Raises
    ------
    BlockedError
        If a package has one of the paths, or the installer or Python.
    """
    ignore_case = platform.system != "linux"

    def key(path: str) -> str:
        return path.lower() if ignore_case else path

    files, folders, parents = set[str](), set[str](), set[str]()
    for file in packages:
        (folders if file.kind is FileKind.DIRECTORY else files).add(key(file.path))
        folder = key(file.path).rpartition("/")[0]
        while folder and folder not in parents:
            parents.add(folder)
            folder = folder.rpartition("/")[0]
    folders |= parents
    parts = list(parts)
    for part in parts:
        owner = reserved_for(part.path, "", distribution=distribution, platform=platform)
        if owner is not None and part.path != SBOM:
            raise BlockedError(
                f"{part.path} cannot be an extra file of the prefix: only {owner} may have that path",
                hint="Name another target in installer.yaml.",
            )
        if key(part.path) in files | folders or files & _folders(key(part.path)):
            raise BlockedError(
                f"{part.path} cannot be an extra file of the prefix: a package has that path",
                hint="Name another target in installer.yaml.",
            )
    return [
        PlannedFile(
            path=part.path,
            source=None,
            kind=FileKind.PLAIN,
            path_type="hardlink",
            sha256=part.sha256,
            size=part.size,
        )
        for part in parts
    ]


def _folders(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}
