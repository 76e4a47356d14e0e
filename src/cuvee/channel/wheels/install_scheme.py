"""The paths of a wheel's files in a conda package.

A wheel spreads the folders of ``NAME.data`` over an installation scheme (PEP 427):
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import posixpath
from dataclasses import dataclass

from cuvee import platforms
from cuvee.channel.wheels.wheel_archive import WheelArchive
from cuvee.errors import IntegrityError

_CONDA_OWN = {"conda-meta", "info", "pkgs", "envs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallScheme:
    """The folders of one kind of package, as `sysconfig` names them: modules, programs, C headers.

    In noarch packages, whose ``subdir`` is ``noarch``, installers replace them by those of the interpreter.
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
        """Whether the package is only for Windows."""
        return self.subdir.startswith("win-")

    def record_path(self, path: str) -> str | None:
        """Return a file's path in RECORD, or `None` where it is known only after installation."""
        below = f"{self.site}/"
        if path.startswith(below):  # as most do: `relpath` asks the system for the working directory
            return path.removeprefix(below)
        return None if self.is_noarch else posixpath.relpath(path, self.site)


NOARCH = InstallScheme(subdir="noarch", site="site-packages", scripts="python-scripts")


def scheme_for(subdir: str, minor: str) -> InstallScheme:
    """Return the scheme of packages in a subdir, for one minor version of Python."""
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
    """A member of a wheel and its path in the package."""

    member: str
    path: str
    is_script: bool = False


_DROPPED = {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"}
"""Files of dist-info that describe an installation, not the project."""


def installed_files(wheel: WheelArchive, scheme: InstallScheme) -> tuple[InstalledFile, ...]:
    """Return the path of each member of a wheel, without byte code and the records of an installation.

    Raises
    ------
    IntegrityError
        If two different members have the same path, or one is in a folder that belongs to conda.
    """
    files: dict[str, InstalledFile] = {}
    for member in wheel.members:
        one = _installed_file(wheel, member, scheme)
        if one is None:
            continue
        if (first := files.get(one.path)) is not None:
            if first.is_script != one.is_script or wheel.read(first.member) != wheel.read(member):
                raise IntegrityError(
                    f"{wheel.name.file_name}: {member!r} and {first.member!r} both install {one.path!r}"
                )
            wheel.irregularities.append(f"{member} and {first.member} both install {one.path}")
            continue
        if one.path.split("/")[0].casefold() in _CONDA_OWN and not one.path.startswith(f"{scheme.site}/"):
            raise IntegrityError(
                f"{wheel.name.file_name}: {member!r} would install {one.path!r}, which belongs to conda"
            )
        files[one.path] = one
    return tuple(files.values())


def _installed_file(wheel: WheelArchive, member: str, scheme: InstallScheme) -> InstalledFile | None:
    top, _, rest = member.partition("/")
    if "__pycache__" in member.split("/")[:-1] or (top == wheel.dist_info and rest in _DROPPED):
        return None
    if top != f"{wheel.dist_info.removesuffix('.dist-info')}.data":
        return InstalledFile(member=member, path=f"{scheme.site}/{member}")
    key, _, path = rest.partition("/")
    if not path:
        raise IntegrityError(f"{wheel.name.file_name}: {member!r} does not belong to an installation folder")
    match key:
        case "purelib" | "platlib":
            return InstalledFile(member=member, path=f"{scheme.site}/{path}")
        case "scripts":
            return InstalledFile(member=member, path=f"{scheme.scripts}/{path}", is_script=True)
        case "data":
            return InstalledFile(member=member, path=path)
        case "headers" if scheme.headers:
            return InstalledFile(member=member, path=f"{scheme.headers}/{wheel.name.name}/{path}")
        case _:
            raise IntegrityError(f"{wheel.name.file_name}: {member!r} belongs to an unknown folder, {key!r}")


def has_headers(wheel: WheelArchive) -> bool:
    """Whether a wheel has C headers, whose folder depends on the version of Python."""
    prefix = f"{wheel.dist_info.removesuffix('.dist-info')}.data/headers/"
    return any(member.startswith(prefix) for member in wheel.members)
