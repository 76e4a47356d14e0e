"""What an engine built, as the package that is released: the same build gives the same bytes.

Engines write the time, the machine's paths and the channels of the build into packages. So the archive is
written again: times are those of the sources, ``info/recipe`` is the recipe as it is here, and what only the
build machine knows is left out: the rendered recipe, byte code, which has the times of sources in it, and
``direct_url.json`` (https://peps.python.org/pep-0610/), which says where a Python project was.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cuvee.build.glibc_floor import glibc_floor, with_glibc
from cuvee.build.model import Recipe
from cuvee.channel.package_writer import PackageFile, PathRows, write_archive
from cuvee.conda.package_archive import (
    INFO_LIMIT,
    archive_errors,
    is_safe_path,
    member_chunks,
    member_data,
    members,
)
from cuvee.errors import BlockedError, IntegrityError
from cuvee.files import canonical_json, parse_json

_LEFT_OUT = re.compile(r"\.pyc$|\.dist-info/direct_url\.json$")
_RECORD = re.compile(r"\.dist-info/RECORD$")
_SHOWN = 10
_OF_MACHINE = {"channels", "conda_private", "conda_version", "env_vars", "root_pkgs"}
"""What engines write of the machine into ``about.json``."""


def normalized(
    archive: Path, target: Path, recipe: Recipe, *, epoch: int, build_folder: Path, work: Path
) -> Path:
    """Write what an engine built again as ``target/<file name>``, and return its path.

    Parameters
    ----------
    epoch
        The time of everything in it, in seconds since 1970.
    build_folder
        Where it was built: no file may name that, except by the prefix that installers replace.
    work
        An empty folder for the files.

    Raises
    ------
    BlockedError
        If files name the build folder.
    IntegrityError
        If the archive is not a conda package.
    """
    with archive_errors(archive):
        info = {
            member.name.removeprefix("info/"): member_data(tar, member, INFO_LIMIT)
            for tar, member in members(archive, "info")
            if member.isreg()
        }
        rows = {row["_path"]: row for row in parse_json(info["paths.json"])["paths"]}
        index = {**parse_json(info["index.json"]), "timestamp": epoch * 1000}
        about = {
            key: value for key, value in parse_json(info["about.json"]).items() if key not in _OF_MACHINE
        }
        files = list(_files(archive, rows, work))
    _check_paths(archive, files, build_folder)
    if str(index.get("subdir", "")).startswith("linux-"):
        index["depends"] = with_glibc(index.get("depends", ()), glibc_floor(files))

    def info_files(written: PathRows) -> Mapping[str, bytes]:
        kept = {
            name: data for name, data in info.items() if not name.startswith("recipe/") and name != "files"
        }
        own = {f"recipe/{name}": path.read_bytes() for name, path in _recipe_files(recipe)}
        own |= recipe.patches.info_files() if recipe.patches is not None else {}
        paths = [{**row, **_more(rows[str(row["_path"])])} for row in written]
        return {
            **kept,
            **own,
            "index.json": canonical_json(index),
            "about.json": canonical_json(about),
            "paths.json": canonical_json({"paths": paths, "paths_version": 1}),
        }

    return write_archive(target / archive.name, files, timestamp=epoch * 1000, info=info_files)


def _files(archive: Path, rows: Mapping[str, Any], work: Path) -> Iterator[PackageFile]:
    for number, (tar, member) in enumerate(members(archive, "pkg")):
        if member.isdir() or _LEFT_OUT.search(member.name):
            continue
        if not is_safe_path(member.name) or member.name not in rows:
            raise IntegrityError(f"{archive.name} holds {member.name!r}, which its paths.json does not list")
        if member.issym():
            yield PackageFile(path=member.name, content=b"", link_target=member.linkname)
            continue
        path = work / str(number)
        with path.open("wb") as out:
            for chunk in member_chunks(tar, member, 1 << 40):
                out.write(chunk)
        row = rows[member.name]
        yield PackageFile(
            path=member.name,
            content=_record(path.read_bytes()) if _RECORD.search(member.name) else path,
            executable=bool(member.mode & 0o111),
            placeholder=row.get("prefix_placeholder"),
            placeholder_mode="binary" if row.get("file_mode") == "binary" else "text",
        )


def _record(data: bytes) -> bytes:
    """Return a RECORD without the lines of files that are left out."""
    lines = data.splitlines(keepends=True)
    return b"".join(
        line
        for line in lines
        if not _LEFT_OUT.search(line.split(b",")[0].strip(b'"').decode(errors="replace"))
    )


def _more(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row of ``paths.json`` says besides path, size and hash."""
    return {
        key: row[key] for key in ("no_link", "prefix_placeholder", "file_mode", "path_type") if key in row
    }


def _recipe_files(recipe: Recipe) -> Iterator[tuple[str, Path]]:
    for path in sorted(recipe.folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            yield path.relative_to(recipe.folder).as_posix(), path


def _check_paths(archive: Path, files: list[PackageFile], build_folder: Path) -> None:
    """Raise if a file names the folder that it was built in."""
    needle = str(build_folder).encode()
    found = []
    for file in files:
        data = file.read()
        if file.placeholder is not None:
            data = data.replace(file.placeholder.encode(), b"")
        if needle in data or build_folder.name in (file.link_target or ""):
            found.append(file.path)
    if found:
        more = f"\n  and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise BlockedError(
            f"{archive.name} names the folder that it was built in:\n"
            + "\n".join(f"  {path}" for path in found[:_SHOWN])
            + more,
            hint="It works only on the build machine. Let the build write paths below $PREFIX, or map "
            "$SRC_DIR with -ffile-prefix-map.",
        )
