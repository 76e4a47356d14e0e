"""What inspecting a wheel has found, cached by the hash of the wheel: unchanged ones are not opened again."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import packaging
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cuvee import checked_cache
from cuvee.channel.wheels.core_metadata import CoreMetadata
from cuvee.channel.wheels.planned_packages import InspectedWheel, inspect
from cuvee.channel.wheels.resolved_metadata import check_index_metadata
from cuvee.channel.wheels.wheel_archive import WheelName
from cuvee.files import fingerprint, parse_json, sha256_file
from cuvee.folder_hashes import code_fingerprint
from cuvee.progress import SILENT, Reporter

_PARSED: Mapping[str, Callable[[Any], Any]] = {
    "version": Version,
    "requires": lambda texts: tuple(map(Requirement, texts)),
    "requires_python": SpecifierSet,
}
"""How fields of the metadata are made of their texts; the others are texts, or tuples of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedFile:
    """A wheel, and whether its metadata was compared with what the index states."""

    wheel: InspectedWheel
    compared: bool


def inspected_file(
    path: Path,
    stated: Path | None,
    *,
    file_name: str,
    sha256: str,
    url: str,
    cache: Path,
    reporter: Reporter = SILENT,
) -> InspectedFile:
    """Inspect a wheel, and compare its metadata with those that the index states.

    Parameters
    ----------
    path
        The wheel; that it has this hash has been checked.
    stated
        The metadata that the index states, if it states some.
    cache
        The user's cache folder.

    Raises
    ------
    IntegrityError
        If the wheel is broken or hostile, or if its metadata is not what its file name or the index says.
    """
    index = "" if stated is None else sha256_file(stated)
    key = fingerprint([code_fingerprint(), packaging.__version__, file_name, sha256, index])
    kept = cache / "inspected-wheels" / key[:2] / key
    content = checked_cache.load(kept, reporter)
    if content is not None:
        return _decoded(parse_json(bytes(content)), path=path, file_name=file_name, sha256=sha256, url=url)
    wheel = inspect(path, file_name=file_name, sha256=sha256, url=url)
    made = InspectedFile(
        wheel=wheel, compared=check_index_metadata(wheel.metadata, stated, file_name=file_name)
    )
    text = json.dumps(_encoded(made), separators=(",", ":"))
    again = _decoded(parse_json(text), path=path, file_name=file_name, sha256=sha256, url=url)
    if (again, _encoded(again)) == (made, _encoded(made)):  # markers may be read otherwise than written
        checked_cache.save(kept, text.encode())
    return made


def _encoded(found: InspectedFile) -> dict[str, Any]:
    metadata = found.wheel.metadata
    values = {field.name: getattr(metadata, field.name) for field in fields(CoreMetadata)}
    return {
        "metadata": {name: _texts(value) for name, value in values.items()},
        "portable": found.wheel.is_portable,
        "scripts": found.wheel.has_scripts,
        "compared": found.compared,
    }


def _texts(value: object) -> str | list[str]:
    return list(map(str, value)) if isinstance(value, tuple) else str(value)


def _decoded(value: Mapping[str, Any], *, path: Path, file_name: str, sha256: str, url: str) -> InspectedFile:
    metadata: dict[str, Any] = {
        name: _PARSED.get(name, tuple if isinstance(texts, list) else str)(texts)
        for name, texts in value["metadata"].items()
    }
    wheel = InspectedWheel(
        path=path,
        sha256=sha256,
        url=url,
        name=WheelName.parse(file_name),
        metadata=CoreMetadata(**metadata),
        is_portable=value["portable"],
        has_scripts=value["scripts"],
    )
    return InspectedFile(wheel=wheel, compared=value["compared"])
