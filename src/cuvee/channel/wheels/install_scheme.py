"""Where a wheel's files go in a conda package."""

import posixpath
import unicodedata
from dataclasses import dataclass

from cuvee import platforms
from cuvee.channel.wheels.wheel_archive import WheelArchive
from cuvee.errors import IntegrityError

_CONDA_OWN = {"conda-meta", "info", "pkgs", "envs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallScheme:
    """The folders of one kind of package.

    Attributes
    ----------
    subdir
        ``noarch``, or a platform.
    site
        Where modules go; in noarch packages the installer puts the interpreter's own folder in its place.
    scripts
        Where programs go.
    headers
        Where C headers go; a noarch package has no place for them.
    """

    subdir: str
    site: str
    scripts: str
    headers: str | None = None

    @property
    def is_noarch(self) -> bool:
        """Whether the paths are those of a ``noarch: python`` package."""
        return self.subdir == "noarch"

    @property
    def is_windows(self) -> bool:
        """Whether the package is for Windows alone."""
        return self.subdir.startswith("win-")

    def record_path(self, path: str) -> str | None:
        """Give a file's path as RECORD says it, or `None` where that is known only after installation."""
        if self.is_noarch and not path.startswith(f"{self.site}/"):
            return None
        return posixpath.relpath(path, self.site)


NOARCH = InstallScheme(subdir="noarch", site="site-packages", scripts="python-scripts")


def scheme_for(subdir: str, minor: str) -> InstallScheme:
    """Give the layout of packages in a subdir, for one minor version of Python."""
    if subdir == "noarch":
        return NOARCH
    if platforms.get(subdir).is_windows:
        return InstallScheme(subdir=subdir, site="Lib/site-packages", scripts="Scripts", headers="Include")
    library = f"python{minor}"
    return InstallScheme(
        subdir=subdir, site=f"lib/{library}/site-packages", scripts="bin", headers=f"include/{library}"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledFile:
    """A member of a wheel and where it goes."""

    member: str
    path: str
    is_script: bool = False


_DROPPED = {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"}
"""Files of dist-info that speak of an installation, not of the project."""


def place(wheel: WheelArchive, layout: InstallScheme) -> tuple[InstalledFile, ...]:
    """Say where each member of a wheel goes; byte code and the records of an installation go nowhere.

    Raises
    ------
    IntegrityError
        If two members go to one path, or one to a folder that is conda's own.
    """
    placed: dict[str, InstalledFile] = {}
    for member in wheel.members:
        one = _place(wheel, member, layout)
        if one is None:
            continue
        same = unicodedata.normalize("NFC", one.path).casefold()
        if same in placed:
            raise IntegrityError(
                f"{wheel.name.file_name}: {member!r} and {placed[same].member!r} both install {one.path!r}"
            )
        if one.path.split("/")[0].casefold() in _CONDA_OWN and not one.path.startswith(f"{layout.site}/"):
            raise IntegrityError(
                f"{wheel.name.file_name}: {member!r} would install {one.path!r}, conda's own"
            )
        placed[same] = one
    return tuple(placed.values())


def _place(wheel: WheelArchive, member: str, layout: InstallScheme) -> InstalledFile | None:
    top, _, rest = member.partition("/")
    if "__pycache__" in member.split("/")[:-1] or (top == wheel.dist_info and rest in _DROPPED):
        return None
    if not top.endswith(".data") or top != f"{wheel.dist_info.removesuffix('.dist-info')}.data":
        return InstalledFile(member=member, path=f"{layout.site}/{member}")
    scheme, _, path = rest.partition("/")
    if not path:
        raise IntegrityError(f"{wheel.name.file_name}: {member!r} belongs to no installation folder")
    match scheme:
        case "purelib" | "platlib":
            return InstalledFile(member=member, path=f"{layout.site}/{path}")
        case "scripts":
            return InstalledFile(member=member, path=f"{layout.scripts}/{path}", is_script=True)
        case "data":
            return InstalledFile(member=member, path=path)
        case "headers" if layout.headers:
            return InstalledFile(member=member, path=f"{layout.headers}/{wheel.name.name}/{path}")
        case _:
            raise IntegrityError(
                f"{wheel.name.file_name}: {member!r} belongs to an unknown folder, {scheme!r}"
            )


def has_headers(wheel: WheelArchive) -> bool:
    """Whether a wheel carries C headers, whose place depends on the version of Python."""
    prefix = f"{wheel.dist_info.removesuffix('.dist-info')}.data/headers/"
    return any(member.startswith(prefix) for member in wheel.members)
