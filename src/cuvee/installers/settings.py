"""Reading ``installers/<distribution>/installer.yaml``: what installers do besides placing packages.

Any value may be given by system: a mapping with the keys ``linux``, ``osx`` and ``win``, and no others.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cuvee.errors import UsageError
from cuvee.files import sha256_file
from cuvee.image.settings import ExtraFile, Initialize, InstallerSettings
from cuvee.manifest.documents.suggestions import did_you_mean

SETTINGS_FILE = "installer.yaml"

_SYSTEMS = ("linux", "osx", "win")
_PART = r"(?!\.{1,2}(?:/|$))[^/\\:\x00-\x1f\x7f]+"
_TARGET = re.compile(rf"{_PART}(?:/{_PART})*")
# What the runtime writes, and what others write and read as if it were conda's.
_OURS = re.compile(r"(?:\.cuvee|cuvee-saved|conda-meta/cuvee)(?:/.*)?|conda-meta/(?:history|[^/]*\.json)")
_PACKAGE = re.compile(r"[a-z0-9_][a-z0-9_.-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class WrongSettingError(Exception):
    """A value is not what its key wants."""


def read_settings(folder: Path | None, system: str) -> InstallerSettings:
    """Read the settings for the installers of a system; a folder without any gives the defaults.

    Parameters
    ----------
    folder
        Where ``installer.yaml`` is, and the scripts and files that it names.
    system
        ``linux``, ``osx`` or ``win``.

    Raises
    ------
    UsageError
        With everything that is wrong with the file.
    """
    path = None if folder is None else folder / SETTINGS_FILE
    if folder is None or path is None or not path.is_file():
        return InstallerSettings()
    values, problems = {}, []
    for key, written in _load(path).items():
        value = _of_system(written, system)
        if key not in _READERS:
            problems.append(f"{key}: there is no such key; {did_you_mean(str(key), _READERS)}".rstrip("; "))
        elif value is not None:
            try:
                values[key] = _READERS[key](value, folder)
            except WrongSettingError as error:
                problems.append(f"{key}: {error}")
    if problems:
        raise UsageError(
            "\n".join([f"{path} is wrong:", *(f"  {problem}" for problem in problems)]),
            hint=f"It knows {', '.join(_READERS)}.",
        )
    return InstallerSettings(**values)


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{path} must map keys to values", hint=f"It knows {', '.join(_READERS)}.")
    return value


def _of_system(value: Any, system: str) -> Any:
    """Give the part of a value that is for the system, if it is given by system."""
    if isinstance(value, dict) and value and set(value) <= set(_SYSTEMS):
        return value.get(system)
    return value


def _script(value: Any, folder: Path) -> str:
    path = folder / _text(value, folder)
    if not path.is_file():
        raise WrongSettingError(f"{value} is not there")
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        raise WrongSettingError(f"{value} is not written in UTF-8") from None
    if not text.strip():
        raise WrongSettingError(f"{value} is empty")
    return text


def _environment(value: Any, _: Path) -> dict[str, str]:
    if not isinstance(value, dict) or not all(
        isinstance(name, str) and _VARIABLE.fullmatch(name) and isinstance(text, str)
        for name, text in value.items()
    ):
        raise WrongSettingError("must map names of variables to texts")
    return {name: value[name] for name in sorted(value)}


def _condarc(value: Any, _: Path) -> str:
    import yaml

    if isinstance(value, dict):
        return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    text = _text(value, _)
    try:
        good = isinstance(yaml.safe_load(text), dict)
    except yaml.YAMLError:
        good = False
    if not good:
        raise WrongSettingError("must be a mapping, or a text that is one")
    return text if text.endswith("\n") else f"{text}\n"


def _files(value: Any, folder: Path) -> tuple[ExtraFile, ...]:
    """Read constructor's own form: a list of names, or of mappings from where a file is to where it goes."""
    items = [value] if isinstance(value, dict) else value
    if not isinstance(items, list):
        raise WrongSettingError("must be a list of files, or a mapping from files to their places")
    pairs: list[tuple[Any, Any]] = []
    for item in items:
        pairs += item.items() if isinstance(item, dict) else [(item, item)]
    found = [extra_file(folder, source, target) for source, target in pairs]
    targets = [file.target.lower() for file in found]
    for file in found:
        if targets.count(file.target.lower()) > 1:
            raise WrongSettingError(f"{file.target} is named twice")
    return tuple(sorted(found, key=lambda file: file.target))


def extra_file(folder: Path, source: Any, target: Any) -> ExtraFile:
    """Describe a file below ``folder`` that goes to ``target``.

    Raises
    ------
    WrongSettingError
        If there is no such file, or it may not go there.
    """
    if not isinstance(source, str) or not isinstance(target, str):
        raise WrongSettingError("must name files by texts")
    path = folder / source
    if not path.is_file():
        raise WrongSettingError(f"{source} is no file")
    if _TARGET.fullmatch(target) is None or _OURS.fullmatch(target.lower()):
        raise WrongSettingError(f"{target} is no place below the prefix where a file may go")
    return ExtraFile(
        source=path,
        target=target,
        sha256=sha256_file(path),
        executable=bool(path.stat().st_mode & 0o100),
    )


def _packages(value: Any, _: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(
        isinstance(name, str) and _PACKAGE.fullmatch(name) for name in value
    ):
        raise WrongSettingError("must be a list of packages' names")
    return tuple(sorted(set(value)))


def _initialize(value: Any, _: Path) -> Initialize:
    # To YAML, yes and no are truth values.
    word = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
    if word not in {item.value for item in Initialize}:
        raise WrongSettingError("must be ask, yes or no")
    return Initialize(word)


def _flag(value: Any, _: Path) -> bool:
    if not isinstance(value, bool):
        raise WrongSettingError("must be true or false")
    return value


def _text(value: Any, _: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise WrongSettingError("must be a text")
    return value


def _line(value: Any, folder: Path) -> str:
    text = _text(value, folder)
    if len(text.splitlines()) > 1:
        raise WrongSettingError("must be one line")
    return text


_READERS: dict[str, Callable[[Any, Path], Any]] = {
    "pre_install": _script,
    "post_install": _script,
    "pre_uninstall": _script,
    "script_environment": _environment,
    "condarc": _condarc,
    "extra_files": _files,
    "menu_packages": _packages,
    "initialize": _initialize,
    "register_python": _flag,
    "default_prefix": _line,
    "default_prefix_all_users": _line,
    "keep_installer": _flag,
}
