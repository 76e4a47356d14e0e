"""The program that starts a console script on Windows: rattler's own, as it links it for noarch packages.

The packages that are made for Windows so start their scripts as the noarch ones do, and no binary is kept
in this repository.
"""

import asyncio
import tempfile
from importlib.metadata import version
from pathlib import Path

from cuvee.channel.package import PackageContent, PackageFile, write_package
from cuvee.errors import CuveeError
from cuvee.files import write_bytes

_TIMESTAMP = 946_684_800_000  # any will do: nothing of it remains


def windows_launcher(cache: Path) -> bytes:
    """Give the launcher's bytes; made once per version of rattler, then read from ``cache``."""
    kept = cache / "launchers" / f"rattler-{version('py-rattler')}-win-64.exe"
    if not kept.exists():
        with tempfile.TemporaryDirectory(prefix="cuvee-launcher-") as scratch:
            write_bytes(kept, asyncio.run(_link(Path(scratch))))
    return kept.read_bytes()


async def _link(scratch: Path) -> bytes:
    import rattler
    from rattler.index import index_fs

    channel, prefix = scratch / "channel", scratch / "prefix"
    python = PackageContent(
        name="python", version="3.11.0", build="0", subdir="win-64", timestamp=_TIMESTAMP,
        files=(PackageFile(path="python.exe", content=b""),),
    )  # fmt: skip
    script = PackageContent(
        name="script", version="1", build="0", subdir="noarch", noarch="python", timestamp=_TIMESTAMP,
        depends=("python",), entry_points=("script = script:main",),
        files=(PackageFile(path="site-packages/script.py", content=b""),),
    )  # fmt: skip
    for package in (python, script):
        write_package(package, channel / package.subdir)
    await index_fs(channel)
    records = await rattler.solve([channel.as_uri()], ["script"], platforms=["win-64", "noarch"])
    await rattler.install(
        records, prefix, cache_dir=scratch / "cache", platform=rattler.Subdir("win-64"), show_progress=False
    )
    data = (prefix / "Scripts" / "script.exe").read_bytes()
    if not data.startswith(b"MZ"):
        raise CuveeError("rattler's launcher for Windows is not a program", hint="Update py-rattler.")
    return data
