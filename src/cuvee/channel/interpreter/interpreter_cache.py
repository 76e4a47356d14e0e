"""Packed interpreters in the cache, by what they were made from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cuvee.channel.content_versions import CONTENT_VERSION
from cuvee.channel.interpreter.model import TIMESTAMP, InterpreterContent
from cuvee.channel.model import Interpreter
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.codec import decode, encode
from cuvee.files import fingerprint, parse_json, sha256_bytes, sha256_file, write_json
from cuvee.progress import SILENT, Reporter

_FORMAT = 2
"""Raise it whenever what an entry records changes."""

FileStamp = tuple[str, str]
"""The path of a file, and the hex SHA-256 of its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedInterpreter:
    """An entry of the cache; ``archive`` is a path relative to the cache."""

    platform: str
    version: str
    origin: str
    archive: str
    sha256: str
    inputs: tuple[FileStamp, ...]

    def interpreter(self, cache: Path) -> Interpreter:
        """Return the interpreter in this folder of the cache."""
        return Interpreter(
            platform=self.platform, version=self.version, archive=cache / self.archive, origin=self.origin
        )


def source_key(platform: str, source: object) -> str:
    """Return the key in the cache for a source, which is described by a JSON value."""
    return f"{platform}-{fingerprint([_FORMAT, CONTENT_VERSION, source])[:32]}"


def load(cache: Path, key: str, reporter: Reporter = SILENT) -> Interpreter | None:
    """Return the archive that was made from this source, if it is intact and its libraries are unchanged.

    A line says if it is damaged.
    """
    record = cache / f"{key}.json"
    if not record.exists():
        return None
    try:
        entry = decode(CachedInterpreter, parse_json(record.read_bytes()))
        intact = sha256_file(cache / entry.archive) == entry.sha256
    except (OSError, ValueError):
        intact = False
    if not intact:
        reporter.warn(f"{record} or its archive is damaged; the interpreter is packed again")
        return None
    try:
        unchanged = entry.inputs == stamps(Path(name) for name, _ in entry.inputs)
    except OSError:
        return None
    return entry.interpreter(cache) if unchanged else None


def save(cache: Path, key: str, content: InterpreterContent) -> Interpreter:
    """Write the package of ``content`` into the cache, with what it was made from."""
    archive = write_package(package_content(content), cache / content.platform)
    entry = CachedInterpreter(
        platform=content.platform,
        version=content.version,
        origin=content.origin,
        archive=archive.relative_to(cache).as_posix(),
        sha256=sha256_file(archive),
        inputs=stamps(content.inputs),
    )
    write_json(cache / f"{key}.json", encode(entry))
    return entry.interpreter(cache)


def stamps(paths: Iterable[Path]) -> tuple[FileStamp, ...]:
    """Return the stamp of each file, for cache keys."""
    return tuple((str(path), sha256_file(path)) for path in paths)


def package_content(content: InterpreterContent) -> PackageContent:
    """Return the conda package of ``content``; its build string is a hash of its content."""
    about = [content.platform, content.version, content.origin, content.site_packages]
    licenses = {name: sha256_bytes(text) for name, text in content.license_files.items()}
    files = sorted(_identity(file) for file in content.files)
    digest = fingerprint([about, content.depends, content.test_imports, licenses, files])[:8]
    return PackageContent(
        name="python",
        version=content.version,
        build=f"cuvee_{digest}_0",
        subdir=content.platform,
        depends=content.depends,
        timestamp=TIMESTAMP,
        license="PSF-2.0",
        license_files=content.license_files,
        summary="General purpose programming language",
        url="https://www.python.org/",
        test_imports=content.test_imports,
        python_site_packages_path=content.site_packages,
        extra={"description": f"Packed by cuvee from {content.origin}."},
        files=content.files,
    )


def _identity(file: PackageFile) -> list[str | bool | None]:
    content = file.content
    digest = sha256_bytes(content) if isinstance(content, bytes) else sha256_file(content)
    return [file.path, digest, file.executable, file.link_target]
