"""A small package of an interpreter, for tests that install it hundreds of times."""

import re
from pathlib import Path

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_info import PackageInfo, read_info
from cuvee.image.archive_members import read_members
from cuvee.image.spool import Spool

_FOLDERS = "curses|dbm|distutils|lib2to3|pydoc_data|unittest|wsgiref"
_CODECS = "__init__|aliases|ascii|charmap|cp437|idna|latin_1|raw_unicode_escape|utf_8|utf_8_sig|utf_16.*"
_LEFT_OUT = re.compile(
    r"include/|lib/python[^/]*/(?:"
    rf"(?:{_FOLDERS})/"
    rf"|encodings/(?:__pycache__/)?(?!(?:{_CODECS})\.)\w+"
    r"|lib-dynload/_codecs_(?:cn|hk|iso2022|jp|kr|tw)\.)"
)


def lean_interpreter(archive: Path, folder: Path) -> Path:
    """Write the package of an interpreter without half of its files, which no test of installers needs."""
    info = read_info(archive)
    files = tuple(file for file in package_files(info, folder) if not _LEFT_OUT.match(file.path))
    index = info.index
    content = PackageContent(
        name=index.name,
        version=index.version,
        build=index.build,
        subdir=index.subdir or "noarch",
        timestamp=index.timestamp or 0,
        depends=index.depends,
        license=index.license,
        python_site_packages_path=index.python_site_packages_path,
        files=files,
    )
    return write_package(content, folder)


def package_files(info: PackageInfo, folder: Path) -> tuple[PackageFile, ...]:
    """Return the files of a package, in memory; ``folder`` has them for a moment."""
    entries = {entry.path: entry for entry in info.paths}
    with Spool(folder) as spool:
        return tuple(
            PackageFile(
                path=member.path,
                content=member.data.read(),
                executable=bool(member.mode & 0o100),
                link_target=member.link_target,
                placeholder=entries[member.path].placeholder,
                placeholder_mode=entries[member.path].file_mode or "text",
            )
            for member in read_members(info, spool)
        )
