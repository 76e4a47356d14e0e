"""Reading a constructor project for one platform."""

import re
from collections.abc import Mapping
from pathlib import Path

from cuvee.installers.constructor.build_outputs import read_outputs
from cuvee.installers.constructor.construct_values import ConstructValues
from cuvee.installers.constructor.model import Project
from cuvee.installers.constructor.project_packages import read_packages
from cuvee.installers.constructor.project_settings import read_branding, read_frozen, read_settings
from cuvee.installers.constructor.yaml_document import read_document
from cuvee.platforms import Platform, System, get

_WORD = re.compile(r"[a-zA-Z0-9_](?:[a-zA-Z0-9._-]*[a-zA-Z0-9_])?")
_FORMATS: Mapping[System, tuple[str, ...]] = {"linux": ("sh",), "osx": ("sh", "pkg"), "win": ("exe", "msi")}
"""The formats of constructor for each system, the default first."""


def read_project(path: Path, platform: str, *, environment: Mapping[str, str]) -> Project:
    """Read a ``construct.yaml`` for one platform.

    Parameters
    ----------
    path
        The file, or its folder.
    environment
        ``environ`` in its templates.

    Raises
    ------
    SourceUnreachableError
        If it cannot be read.
    UsageError
        With all its problems.
    """
    source = path / "construct.yaml" if path.is_dir() else path
    target = get(platform)
    values = ConstructValues(
        read_document(source, platform, environment), source=source, system=target.system
    )
    formats = _formats(values, target)
    project = Project(
        source=source,
        platform=platform,
        name=_word(values, "name"),
        version=_word(values, "version"),
        formats=formats,
        file_name=_file_name(values, formats),
        packages=read_packages(values, platform),
        settings=read_settings(values),
        frozen=read_frozen(values),
        branding=read_branding(values, formats),
        outputs=read_outputs(values),
        warnings=tuple(values.warnings),
    )
    values.raise_problems()
    return project


def _word(values: ConstructValues, name: str) -> str:
    text = values.text(name)
    if isinstance(values.raw(name), float):
        values.warn(name, f"is a number in YAML, and read as {text}; put it in quotes")
    if name not in values:
        values.wrong(name, "is missing")
    elif _WORD.fullmatch(text) is None:
        values.wrong(name, "must be of letters, digits, ., _ and -, and not start or end with . or -")
    return text


def _formats(values: ConstructValues, platform: Platform) -> tuple[str, ...]:
    known = _FORMATS[platform.system]
    requested = values.texts("installer_type") or known[:1]
    found = known if requested == ("all",) else tuple(dict.fromkeys(requested))
    for name in found:
        if name == "docker":
            values.wrong("installer_type", "docker is not supported; use sh, and install it in a container")
        elif name not in known:
            values.wrong(
                "installer_type", f"there is no {name} for {platform.title}: use {' or '.join(known)}"
            )
    return found


def _file_name(values: ConstructValues, formats: tuple[str, ...]) -> str:
    name = values.text("installer_filename")
    if not name:
        return ""
    if Path(name).name != name or name.startswith(".") or "\\" in name:
        values.wrong("installer_filename", "must be a file name, without a folder")
    if len(formats) > 1:
        values.warn("installer_filename", "is for one installer, but there are several")
        return ""
    return name
