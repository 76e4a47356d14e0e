"""The small program that starts a Python entry point on Windows.

Conda's tools install the one that py-rattler contains. It has no interface of its own: linking a tiny package
for Windows yields it.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.event_loop import run
from cuvee.conda.package_record import Record
from cuvee.conda.rattler_records import repodata_record
from cuvee.errors import IntegrityError
from cuvee.files import sha256_file
from cuvee.temporary_folders import temporary_folder

if TYPE_CHECKING:
    import rattler


@cache
def windows_launcher() -> bytes:
    """Return the 64-bit launcher, extracted from py-rattler, which takes a tenth of a second.

    Raises
    ------
    IntegrityError
        If py-rattler links something else.
    """
    with temporary_folder("launcher") as folder:
        run(_link(folder))
        program = (folder / "prefix" / "Scripts" / "launch.exe").read_bytes()
    if not program.startswith(b"MZ"):
        raise IntegrityError("py-rattler linked an entry point that is not a Windows program")
    return program


async def _link(folder: Path) -> None:
    import rattler

    python = PackageContent(
        name="python", version="3.11.0", build="0", subdir="win-64", timestamp=0, files=()
    )
    tool = PackageContent(
        name="launch",
        version="1",
        build="0",
        subdir="noarch",
        noarch="python",
        timestamp=0,
        entry_points=("launch = launch:main",),
        files=(PackageFile(path="site-packages/launch.py", content=b""),),
    )
    records = [_record(content, write_package(content, folder)) for content in (python, tool)]
    await rattler.install(
        records,
        folder / "prefix",
        cache_dir=folder / "cache",
        platform=rattler.Subdir("win-64"),
        show_progress=False,
    )


def _record(content: PackageContent, archive: Path) -> "rattler.RepoDataRecord":
    record = Record(
        name=content.name,
        version=content.version,
        build=content.build,
        subdir=content.subdir,
        url=archive.as_uri(),
        noarch=content.noarch,
        sha256=sha256_file(archive),
    )
    return repodata_record(record, url=record.url, channel=archive.parent.as_uri())
