"""The `.exe` installer: a program that NSIS makes around stage 0, the image's manifest, and the payload.

NSIS cannot compile 2 GiB of data, but a finished installer may have data behind its own.
"""

import json
import os
import shutil
import tarfile
from collections.abc import Iterable
from importlib.resources import files as resource_files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from cuvee.errors import BlockedError, TooLargeError, UsageError
from cuvee.files import replacing
from cuvee.image.model import SOURCE_TIME, Image
from cuvee.image.stage0 import RUNTIME_FOLDER
from cuvee.installers.branding import Branding
from cuvee.installers.naming import display_name
from cuvee.installers.windows.nsis import compile_script, find_makensis
from cuvee.installers.windows.nsis_script import uninstaller_name, write_script
from cuvee.installers.windows.osslsigncode import Osslsigncode
from cuvee.progress import Reporter
from cuvee.runtime.windows.exe_container import (
    ExeContainer,
    digest,
    open_container,
    pack,
    takes_deltas,
    unsigned,
)
from cuvee.runtime.windows.registry import Product
from cuvee.temporary_folders import temporary_folder

_CHUNK = 1 << 20
_BOUNDARY = 8
_LARGEST = (1 << 32) - (64 << 20)
"""Windows does not start programs of 4 GiB or more; some bytes are left for a signature."""

_COMPRESSORS = {"small": "/SOLID lzma", "quick": "zlib"}


def build_exe(
    image: Image,
    *,
    branding: Branding,
    target: Path,
    reporter: Reporter,
    signer: Osslsigncode | None = None,
    compression: Literal["small", "quick"] = "small",
) -> Path:
    """Write the installer of ``image`` to ``target``, whole or not at all; return ``target``.

    It is reproducible, but for signatures.

    Parameters
    ----------
    compression
        Of NSIS's own part, which has about 22 MB before: ``quick`` takes a second, ``small`` ten.

    Raises
    ------
    UsageError
        If the image is not for 64-bit Windows.
    ToolMissingError
        If makensis is absent or too old.
    TooLargeError
        If the installer would be larger than Windows can start.
    """
    if image.platform != "win-64":
        raise UsageError(f"An .exe installer can be made only for win-64, not for {image.platform}")
    # Check first: compiling takes seconds.
    _check_size((image.manifest, image.payload))
    makensis = find_makensis()
    reporter.start(target.name)
    with temporary_folder("exe") as folder:
        with tarfile.open(image.stage0) as tar:
            # What `filter="data"` says, which Python before 3.11.4 does not know: https://peps.python.org/pep-0706/
            tar.extraction_filter = getattr(tarfile, "data_filter", None)
            tar.extractall(folder / "stage")  # noqa: S202 - our own; with modification times, for byte code
        _add_desktop(image, branding, folder / "stage" / ".cuvee")
        write_script(image, branding, folder, _COMPRESSORS[compression], signer)
        compile_script(makensis, folder / "installer.nsi")
        with replacing(target) as beside:
            _join(image, folder / "installer.exe", beside)
            if signer is not None:
                signer.sign(beside)
    reporter.finish(target.name, note=f"{target.stat().st_size / 1e6:,.1f} MB")
    return target


def build_exe_delta(
    whole: Path,
    manifest: Path,
    payload: Path,
    *,
    target: Path,
    reporter: Reporter,
    signer: Osslsigncode | None = None,
) -> Path:
    """Write a delta, with the program and the manifest of the whole installer, to ``target``; return it.

    Parameters
    ----------
    payload
        What the delta has.

    Raises
    ------
    UsageError
        If the program of ``whole`` cannot have such a payload.
    """
    if not takes_deltas(str(whole)):
        raise UsageError(
            f"{whole} was made by an earlier cuvee, whose program takes no deltas",
            hint="Cut the release again.",
        )
    container = open_container(str(whole))
    reporter.start(target.name)
    with temporary_folder("exe-delta") as folder, replacing(target) as beside:
        with whole.open("rb") as stream:
            program = stream.read(container.manifest_at)
        (folder / "installer.exe").write_bytes(unsigned(program))
        _join_parts(
            folder / "installer.exe", manifest, payload, manifest_raw=container.manifest_raw, target=beside
        )
        if signer is not None:
            signer.sign(beside)
    reporter.finish(target.name, note=f"{target.stat().st_size / 1e6:,.1f} MB")
    return target


def _add_desktop(image: Image, branding: Branding, folder: Path) -> None:
    """Add the Windows part of the runtime, and ``product.json`` with what it needs to know."""
    if not (folder.parent / RUNTIME_FOLDER).is_dir():
        raise BlockedError(
            f"{image.folder} has no runtime in its stage 0",
            hint="Delete the folder and cut the release again.",
        )
    code = folder / "runtime" / "windows"
    _copy_code(resource_files("cuvee.runtime.windows"), code)
    product = Product(
        name=display_name(image.label.distribution),
        distribution=image.label.distribution,
        version=image.label.version,
        title=image.label.title,
        publisher=branding.publisher,
        url=branding.url,
        uninstaller=uninstaller_name(image),
        floor=image.floor.get("__win", ""),
        needed=image.size_on_disk,
        longest_path=image.longest_path,
        interpreter=image.interpreter.replace("/", "\\"),
        register=image.settings.register_python,
        keep=image.settings.keep_installer,
    )
    (folder / "product.json").write_text(json.dumps(product._asdict(), ensure_ascii=False), encoding="utf-8")
    for path in (*code.rglob("*.py"), folder / "product.json"):
        os.utime(path, (SOURCE_TIME, SOURCE_TIME))


def _copy_code(source: Traversable, target: Path) -> None:
    target.mkdir()
    for entry in source.iterdir():
        if entry.name.endswith(".py"):
            (target / entry.name).write_bytes(entry.read_bytes())
        elif entry.is_dir() and not entry.name.startswith("_"):
            _copy_code(entry, target / entry.name)


def _join(image: Image, program: Path, target: Path) -> None:
    """Concatenate the parts; the trailer is at a multiple of eight, which Authenticode requires."""
    _join_parts(program, image.manifest, image.payload, manifest_raw=image.manifest_raw, target=target)


def _join_parts(program: Path, manifest: Path, payload: Path, *, manifest_raw: int, target: Path) -> None:
    parts = (program, manifest, payload)
    _check_size(parts)
    container = ExeContainer(
        manifest_at=program.stat().st_size,
        manifest_size=manifest.stat().st_size,
        manifest_raw=manifest_raw,
    )
    with target.open("wb") as stream:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, stream, _CHUNK)
        stream.write(bytes(-stream.tell() % _BOUNDARY))
        end = stream.tell()
    with target.open("r+b") as stream:
        trailer = pack(container, digest(stream, end))
        stream.seek(end)
        stream.write(trailer)


def _check_size(parts: Iterable[Path]) -> None:
    size = sum(part.stat().st_size for part in parts)
    if size > _LARGEST:
        raise TooLargeError(
            f"The .exe would have {size / 2**30:.1f} GiB, and Windows starts no program of 4 GiB or more",
            hint="Leave packages out, or make two distributions of it.",
        )
