"""Writing a ``construct.yaml`` from a lock, for constructor itself."""

import os
import re
import shlex
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cuvee.image.settings import ByteCode, Initialize, InstallerSettings
from cuvee.installers.branding import Branding
from cuvee.installers.settings_reader import SETTINGS_FILE
from cuvee.lock.model import PlatformLock
from cuvee.platforms import DEFAULT_FLOOR, System, get

CONSTRUCT = "construct.yaml"
OLDEST = (3, 16)
"""The version of constructor that has the keys below."""

_FREE_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_ASCII = {"©": "(c)", "®": "(R)", "™": "(TM)", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"'}  # noqa: RUF001 - what licences are typed with

Value = str | bool | Sequence[str | Mapping[str, str]] | Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectInputs:
    """What a constructor project is written from.

    Attributes
    ----------
    name, version
        Of the distribution; constructor makes the installer's file name of them.
    channels
        The channels for constructor, the first wins; folders are relative to the project.
    requested
        The requested packages, as match specs.
    formats
        ``("exe", "msi")``; empty for constructor's default.
    """

    lock: PlatformLock
    name: str
    version: str
    channels: tuple[str, ...]
    requested: tuple[str, ...]
    formats: tuple[str, ...]
    branding: Branding
    settings: InstallerSettings


def construct_files(construct: ProjectInputs) -> dict[str, bytes]:
    """Return ``construct.yaml`` and the files that it names, by their paths, reproducibly."""
    branding, settings = construct.branding, construct.settings
    system = get(construct.lock.platform).system
    files: dict[str, bytes] = {}
    keys: dict[str, Value] = {"name": construct.name, "version": construct.version}
    _put(keys, "company", branding.publisher)
    _put(keys, "reverse_domain_identifier", branding.identifier)
    _put(keys, "installer_type", construct.formats)
    keys["channels"] = construct.channels
    keys["specs"] = tuple(
        f"{p.name}=={p.version}={p.build}[sha256={p.sha256}]" for p in construct.lock.packages
    )
    _put(keys, "user_requested_specs", construct.requested)
    _put(keys, "virtual_specs", tuple(_virtual_specs(construct.lock)))
    if branding.license_text.strip():
        files["LICENSE.txt"] = _ascii(branding.license_text).encode()
        keys["license_file"] = "LICENSE.txt"
    if system == "osx":
        _put(keys, "welcome_text", branding.welcome)
    for key, name, picture in (
        ("welcome_image", "welcome.bmp", branding.welcome_picture),
        ("header_image", "header.bmp", branding.header_picture),
        ("icon_image", "icon.ico", branding.icon),
    ):
        if system == "win" and picture is not None:
            files[name] = picture.read_bytes()
            keys[key] = name
    _add_settings(keys, files, settings, system)
    keys |= _initialization(construct)
    keys["build_outputs"] = ({"hash": "sha256"}, "info.json", "licenses", "lockfile", "pkgs_list")
    lines = [*_heading(construct), *_lines(keys)]
    return {CONSTRUCT: "".join(f"{line}\n" for line in lines).encode(), **files}


def solving_environment(lock: PlatformLock) -> dict[str, str]:
    """Return the environment variables that make conda solve for the lock's platform on any machine.

    Conda adds pip to the dependencies of python unless told otherwise, and a lock is complete. See
    https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-virtual.html for the overrides.
    """
    found = {"CONDA_SUBDIR": lock.platform, "CONDA_ADD_PIP_AS_PYTHON_DEPENDENCY": "false"}
    for package in lock.virtual_packages:
        kind = package.name.removeprefix("__")
        if kind == "archspec":
            found["CONDA_OVERRIDE_ARCHSPEC"] = package.build
        elif kind != "unix" and package.version != "0":
            found[f"CONDA_OVERRIDE_{kind.upper()}"] = package.version
    return found


def _heading(construct: ProjectInputs) -> list[str]:
    lock = construct.lock
    cache = shlex.quote(f"{construct.name}-{construct.version}")
    is_ignored = bool(construct.settings.pre_uninstall) and get(lock.platform).system != "win"
    own = construct.settings.bytecode is not ByteCode.INSTALLER
    variables = [f"{name}={shlex.quote(value)}" for name, value in solving_environment(lock).items()]
    return [
        f"# {construct.name} {construct.version} for {lock.platform}, with the packages of its lock.",
        f"# In this folder, with constructor {OLDEST[0]}.{OLDEST[1]} or newer, on such a system:",
        "#",
        *(f"#     export {variable}" for variable in variables),
        f"#     constructor . --cache-dir ~/.conda/constructor/{cache}",
        "#",
        "# Give each release a cache of its own. Constructor writes the URLs of all files in its cache that",
        '# have a package\'s name, from whatever channel, and fails with "Duplicate packages found".',
        "#",
        "# On other systems, add --conda-exe with the conda-standalone of that system.",
        *(["#", "# On Unix, constructor ignores pre_uninstall."] if is_ignored else []),
        *(["#", f"# Constructor has no key for what {SETTINGS_FILE} says; cuvee reads it."] if own else []),
    ]


def _put(keys: dict[str, Value], name: str, value: Value | None) -> None:
    if value:
        keys[name] = value


def _virtual_specs(lock: PlatformLock) -> Iterable[str]:
    """Yield the floor as constructor's installers check it.

    They check glibc and macOS themselves. For others they let conda solve without a channel, which not every
    version of conda supports; so the lowest floors, which every system meets, are left out.
    """
    lowest = {("__linux", DEFAULT_FLOOR["linux"]["linux"]), ("__win", DEFAULT_FLOOR["win"]["win"])}
    for package in lock.virtual_packages:
        has_version = package.name not in {"__unix", "__archspec"} and package.version != "0"
        if has_version and (package.name, package.version) not in lowest:
            yield f"{package.name}>={package.version}"


def _add_settings(
    keys: dict[str, Value], files: dict[str, bytes], settings: InstallerSettings, system: System
) -> None:
    suffix = ".bat" if system == "win" else ".sh"
    for name, text in settings.scripts.items():
        files[f"{name}{suffix}"] = text.encode()
        keys[name] = f"{name}{suffix}"
    _put(keys, "script_env_variables", dict(settings.script_environment))
    extra: list[Mapping[str, str]] = []
    for file in settings.extra_files:
        files[f"files/{file.target}"] = file.source.read_bytes()
        extra.append({f"files/{file.target}": file.target})
    _put(keys, "extra_files", tuple(extra))
    _put(keys, "condarc", settings.condarc)
    if settings.menu_packages is not None:
        keys["menu_packages"] = settings.menu_packages
    if system == "win":
        keys["register_python"] = True
        keys["register_python_default"] = settings.register_python
        _put(keys, "default_prefix_all_users", settings.default_prefix_all_users)
    _put(keys, "default_prefix", settings.default_prefix)
    _put(keys, "keep_pkgs", settings.keep_installer)
    if settings.bytecode is not ByteCode.INSTALLER:
        files[SETTINGS_FILE] = f"bytecode: {settings.bytecode.value}\n".encode()


def _initialization(construct: ProjectInputs) -> dict[str, Value]:
    choice = construct.settings.initialize
    if choice is Initialize.NO or "conda" not in construct.lock.by_name:
        return {"initialize_conda": False}  # constructor needs conda for it
    return {"initialize_conda": "classic", "initialize_by_default": choice is Initialize.YES}


def _lines(keys: Mapping[str, Value]) -> Iterable[str]:
    for name, value in keys.items():
        if isinstance(value, bool | str):
            yield f"{name}: {_scalar(value)}"
        elif not value:
            yield f"{name}: []"
        elif isinstance(value, Mapping):
            yield f"{name}:"
            yield from (f"  {quoted(key)}: {quoted(item)}" for key, item in value.items())
        else:
            yield f"{name}:"
            yield from (line for item in value for line in _item(item))


def _item(item: str | Mapping[str, str]) -> Iterable[str]:
    if isinstance(item, str):
        yield f"  - {quoted(item)}"
        return
    for key, value in item.items():
        if key == "hash":
            yield from ("  - hash:", f"      algorithm: {quoted(value)}")
        else:
            yield f"  - {quoted(key)}: {quoted(value)}"


def _scalar(value: bool | str) -> str:
    return quoted(value) if isinstance(value, str) else str(value).lower()


def quoted(text: str) -> str:
    """Return a text as YAML, in ASCII and on one line, so that constructor finds no selector in it."""
    if _FREE_WORD.fullmatch(text) and text.lower() not in _RESERVED and not text[0].isdigit():
        return text
    return f'"{"".join(_character(character, in_comment="#" in text) for character in text)}"'


def _character(character: str, *, in_comment: bool) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character == "[" and in_comment:
        return "\\x5b"
    return character if " " <= character <= "~" else f"\\U{ord(character):08x}"


def _ascii(text: str) -> str:
    """Return a licence in ASCII, the only encoding that constructor's `.sh` supports."""
    spelled = "".join(_ASCII.get(character, character) for character in text.removeprefix("\ufeff"))
    return unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()


def relative_channel(channel: str, folder: Path) -> str:
    """Return a channel for a project in ``folder``; a channel's folder is relative to it."""
    if not Path(channel).is_absolute():
        return channel
    relative = Path(os.path.relpath(channel, folder.absolute())).as_posix()
    return relative if relative.startswith(".") else f"./{relative}"
