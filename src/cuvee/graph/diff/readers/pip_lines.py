"""Lines of pip: the requirements of an `environment.yml`, and the ``# pip`` lines of an explicit list."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import without_secrets
from cuvee.graph.diff.snapshot import of_index, package
from cuvee.graph.diff.version_order import UNKNOWN_VERSION
from cuvee.manifest.model import Position, Requirement

_OPTIONS = re.compile(r"\s+--?\w")
_HASH = re.compile(r"\s--hash[= ]sha256:([0-9a-fA-F]{64})")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PipLine:
    """What a line requires: as a package, whose version may be unknown, and as a requirement."""

    package: LockedPackage
    requirement: Requirement


def read_pip_line(path: Path, line: int, text: str) -> PipLine | str:
    """Read one line; return a sentence on it if it names no project.

    Format: https://pip.pypa.io/en/stable/reference/requirements-file-format/
    """
    from packaging.requirements import InvalidRequirement
    from packaging.requirements import Requirement as PipRequirement

    stated = _OPTIONS.split(text, maxsplit=1)[0].strip()
    try:
        required = PipRequirement(stated)
    except InvalidRequirement:
        egg = _EGG.search(stated)
        name, _ = _project_of(stated)
        if name:
            required = PipRequirement(f"{name} @ {stated}")
        elif egg is not None:
            required = PipRequirement(egg[1])
        else:
            return f"{path}:{line}: {without_secrets(text)[:80]!r} was not compared: it names no project"
    name, url = of_index(required.name), required.url or ""
    hashes = _HASH.findall(text) or re.findall(r"#sha256=([0-9a-fA-F]{64})", url)
    only = hashes[0].lower() if len(set(hashes)) == 1 else ""
    pins = [item.version for item in required.specifier if item.operator in {"==", "==="}]
    is_pin = len(required.specifier) == 1 and bool(pins) and not pins[0].endswith(".*")
    version = pins[0] if is_pin else _project_of(url)[1]
    position = Position(file=path, line=line, column=1)
    return PipLine(
        package=package(path, line, name=name, version=version, platform="", channel="pypi", sha256=only),
        requirement=Requirement(
            name=name.lower(),
            version=str(required.specifier) or (f"@ {without_secrets(url)}" if url else "*"),
            position=position,
        ),
    )


def _project_of(url: str) -> tuple[str, str]:
    """Return the name and version that the file name of a wheel or source distribution states."""
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    file = unquote(urlsplit(url).path.rpartition("/")[2])
    try:
        if file.endswith(".whl"):
            name, version, *_ = parse_wheel_filename(file)
        else:
            name, version = parse_sdist_filename(file)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return "", UNKNOWN_VERSION
    return name, str(version)
