"""Packed interpreters in the cache: what was made from what."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cuvee.channel.interpreter.model import CONTENT_VERSION, TIMESTAMP, InterpreterContent
from cuvee.channel.model import Interpreter
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.files import fingerprint, sha256_bytes, sha256_file, write_json

_URL = "https://www.python.org/"
_SUMMARY = "General purpose programming language"


def source_key(platform: str, source: Any) -> str:
    """Give the name of the cache's record for a source, described by a JSON value."""
    return f"{platform}-{fingerprint([CONTENT_VERSION, source])[:32]}"


def load(cache: Path, key: str) -> Interpreter | None:
    """Give the archive that was made from this source, if it is whole and no library of it has changed."""
    try:
        record = json.loads((cache / f"{key}.json").read_bytes())
        archive = cache / record["archive"]
        if record["inputs"] != stamps(Path(name) for name, *_ in record["inputs"]):
            return None
        if sha256_file(archive) != record["sha256"]:
            return None
        return Interpreter(
            platform=record["platform"], version=record["version"], archive=archive, origin=record["origin"]
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(cache: Path, key: str, layout: InterpreterContent) -> Interpreter:
    """Write the package of ``layout`` into the cache, and remember what it was made from."""
    archive = write_package(package_content(layout), cache / layout.platform)
    record = {
        "platform": layout.platform,
        "version": layout.version,
        "origin": layout.origin,
        "archive": archive.relative_to(cache).as_posix(),
        "sha256": sha256_file(archive),
        "inputs": stamps(layout.inputs),
    }
    write_json(cache / f"{key}.json", record)
    return Interpreter(
        platform=layout.platform, version=layout.version, archive=archive, origin=layout.origin
    )


def stamps(paths: Iterable[Path]) -> list[list[str | int]]:
    """Give path, size and modification time in nanoseconds of each file, for cache keys."""
    return [[str(path), status.st_size, status.st_mtime_ns] for path in paths for status in (path.stat(),)]


def package_content(layout: InterpreterContent) -> PackageContent:
    """Give the conda package of ``layout``; its build string is a hash of what it holds."""
    digest = _digest(layout)[:8]
    return PackageContent(
        name="python",
        version=layout.version,
        build=f"cuvee_{digest}_0",
        subdir=layout.platform,
        depends=layout.depends,
        timestamp=TIMESTAMP,
        license="PSF-2.0",
        license_files=layout.license_files,
        summary=_SUMMARY,
        url=_URL,
        test_imports=layout.test_imports,
        python_site_packages_path=layout.site_packages,
        extra={"description": f"Packed by cuvee from {layout.origin}."},
        files=layout.files,
    )


def _digest(layout: InterpreterContent) -> str:
    licenses = {name: sha256_bytes(text) for name, text in layout.license_files.items()}
    about = [layout.platform, layout.version, layout.origin, layout.site_packages]
    contents = sorted(_identity(file) for file in layout.files)
    return fingerprint([about, layout.depends, layout.test_imports, licenses, contents])


def _identity(file: PackageFile) -> list[Any]:
    content = file.content
    digest = sha256_bytes(content) if isinstance(content, bytes) else sha256_file(content)
    return [file.path, digest, file.executable, file.link_target]
