"""Writing conda packages: the `.conda` format, byte for byte reproducible.

Format: https://github.com/conda/ceps/blob/main/cep-0034.md and
https://github.com/conda/ceps/blob/main/cep-0035.md. ``assemble_package`` of
py-rattler-build writes the same except ``info/link.json``, which entry points of noarch packages need.
"""

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

import zstandard

from cuvee.files import canonical_json, replacing, sha256_bytes

QUICK_LEVEL = 3
"""zstd level of packages that are made for one release: the image compresses their files again."""

PLACEHOLDER = "/opt/cuvee_placeholder" + "_placehold" * 22 + "_end"
"""The prefix in text files of our packages, which the desktop's own replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFile:
    """One file of a package.

    Attributes
    ----------
    path
        Relative, with ``/``: ``bin/python3.11``; in ``noarch: python`` packages ``site-packages/…``.
    content
        The file to copy, or its bytes; the empty bytes for a link.
    executable
        Whether to set the executable bits.
    link_target
        What a symbolic link points to; `None` for a regular file.
    placeholder
        The prefix to be replaced in it at installation (`PLACEHOLDER` in text files), or `None`.
    placeholder_mode
        How the placeholder is replaced.
    """

    path: str
    content: Path | bytes
    executable: bool = False
    link_target: str | None = None
    placeholder: str | None = None
    placeholder_mode: Literal["text", "binary"] = "text"

    def read(self) -> bytes:
        """Return the content; a link has none."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageContent:
    """Everything that a conda package holds.

    Attributes
    ----------
    subdir
        A platform, or ``noarch``.
    timestamp
        Milliseconds since 1970 UTC; also the modification time of every file.
    entry_points
        Console scripts of a ``noarch: python`` package, ``name = module:function``.
    license_files
        File name to text; stored below ``info/licenses``.
    test_imports
        Modules that must import once it is installed.
    test_programs
        Texts of Python programs that must end with exit code 0 once it is installed.
    extra
        More keys of ``info/about.json``.
    extra_info
        More files of ``info/``, by path below it.
    """

    name: str
    version: str
    build: str
    build_number: int = 0
    subdir: str
    noarch: Literal["python", "generic"] | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    timestamp: int
    license: str | None = None
    license_files: Mapping[str, bytes] = field(default_factory=dict)
    summary: str = ""
    url: str = ""
    entry_points: tuple[str, ...] = ()
    test_imports: tuple[str, ...] = ()
    python_site_packages_path: str | None = None
    test_programs: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    extra_info: Mapping[str, bytes] = field(default_factory=dict)
    files: tuple[PackageFile, ...]

    @property
    def stem(self) -> str:
        """``name-version-build``."""
        return f"{self.name}-{self.version}-{self.build}"


def write_package(content: PackageContent, folder: Path) -> Path:
    """Write ``content`` as ``<folder>/<stem>.conda``, whole or not at all, and return its path.

    The same content gives the same bytes, at any time, for any user, and in any order of ``files``.
    (``conda_package_streaming`` writes the same format, but puts the time of writing into the zip.)
    """
    return write_archive(
        folder / f"{content.stem}.conda",
        content.files,
        timestamp=content.timestamp,
        info=lambda paths: _info_files(content, paths),
    )


PathRows = list[dict[str, object]]
"""What ``info/paths.json`` says of each file."""


def write_archive(
    target: Path,
    files: Iterable[PackageFile],
    *,
    timestamp: int,
    info: Callable[[PathRows], Mapping[str, bytes]],
) -> Path:
    """Write the archive ``<stem>.conda`` at ``target``, whole or not at all.

    Parameters
    ----------
    timestamp
        Milliseconds since 1970 UTC: the modification time of every file.
    info
        Returns the files below ``info/``, from the rows of ``paths.json``.
    """
    stem = target.name.removesuffix(".conda")
    with replacing(target) as beside, zipfile.ZipFile(beside, "w") as archive:
        archive.writestr(_zip_info("metadata.json"), b'{"conda_pkg_format_version": 2}')
        paths = []
        with _component(archive, f"pkg-{stem}.tar.zst") as tar:
            for file in sorted(files, key=lambda file: file.path):
                data = file.read() if file.link_target is None else b""
                paths.append(_path_entry(file, data))
                tar.addfile(_tar_info(file, data, timestamp), io.BytesIO(data))
        with _component(archive, f"info-{stem}.tar.zst") as tar:
            for name, data in sorted(info(paths).items()):
                entry = PackageFile(path=f"info/{name}", content=data)
                tar.addfile(_tar_info(entry, data, timestamp), io.BytesIO(data))
    return target


def _zip_info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o644 << 16
    return info


@contextmanager
def _component(archive: zipfile.ZipFile, name: str) -> Iterator[tarfile.TarFile]:
    """Stream a compressed tar into the zip, which does not compress it again."""
    compressor = zstandard.ZstdCompressor(level=QUICK_LEVEL)
    with (
        archive.open(_zip_info(name), "w", force_zip64=True) as member,
        compressor.stream_writer(member, closefd=False) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        yield tar


def _tar_info(file: PackageFile, data: bytes, timestamp: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(file.path)
    info.mtime = timestamp // 1000
    info.mode = 0o755 if file.executable else 0o644
    if file.link_target is None:
        info.size = len(data)
    else:
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, file.link_target, 0o777
    return info


def _path_entry(file: PackageFile, data: bytes) -> dict[str, object]:
    if file.link_target is not None:
        return {"_path": file.path, "path_type": "softlink", "sha256": sha256_bytes(b""), "size_in_bytes": 0}
    entry: dict[str, object] = {
        "_path": file.path,
        "path_type": "hardlink",
        "sha256": sha256_bytes(data),
        "size_in_bytes": len(data),
    }
    if file.placeholder is not None:
        entry |= {"file_mode": file.placeholder_mode, "prefix_placeholder": file.placeholder}
    return entry


def _info_files(content: PackageContent, paths: list[dict[str, object]]) -> dict[str, bytes]:
    index: dict[str, object] = {
        "name": content.name,
        "version": content.version,
        "build": content.build,
        "build_number": content.build_number,
        "subdir": content.subdir,
        "depends": list(content.depends),
        "constrains": list(content.constrains),
        "timestamp": content.timestamp,
    }
    if content.license:
        index["license"] = content.license
    if content.noarch:
        index["noarch"] = content.noarch
    if content.python_site_packages_path:
        index["python_site_packages_path"] = content.python_site_packages_path
    if content.subdir != "noarch":
        system, _, machine = content.subdir.partition("-")
        index |= {"platform": system, "arch": {"64": "x86_64"}.get(machine, machine)}
    about = {"summary": content.summary, "home": content.url, "license": content.license or ""}
    files = {
        "index.json": canonical_json(index),
        "about.json": canonical_json(
            {key: value for key, value in about.items() if value} | dict(content.extra)
        ),
        "paths.json": canonical_json({"paths": paths, "paths_version": 1}),
        "files": "".join(f"{entry['_path']}\n" for entry in paths).encode(),
    }
    if content.noarch == "python":
        noarch = {"type": "python"} | (
            {"entry_points": list(content.entry_points)} if content.entry_points else {}
        )
        files["link.json"] = canonical_json({"noarch": noarch, "package_metadata_version": 1})
    tests: list[object] = [
        {"script": {"interpreter": "python", "content": program}} for program in content.test_programs
    ]
    if content.test_imports:
        tests.insert(0, {"python": {"imports": list(content.test_imports), "pip_check": False}})
    if tests:
        files["tests/tests.yaml"] = canonical_json(tests)  # JSON is YAML
    for name, text in content.license_files.items():
        files[f"licenses/{PurePosixPath(name)}"] = text
    return {**content.extra_info, **files}


def is_executable(path: Path) -> bool:
    """Whether any executable bit of a file is set."""
    return bool(path.stat().st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
