"""Running uv: its executable, the index that it uses, and the target platform.

uv reads its own configuration and environment (indexes, proxies, netrc, certificates). It does not read
pip's: if no index is configured for uv, the index-url that pip would use (``PIP_INDEX_URL``, then pip's
configuration files) is passed on. pip's extra indexes are not: from which of two indexes a
name may come is a matter of trust (dependency confusion), which uv's own settings can express.
"""

import configparser
import json
import os
import re
import sys
import threading
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from pathlib import Path

from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from cuvee import platforms
from cuvee.channel.wheels.model import ResolutionTarget
from cuvee.errors import BlockedError, ToolMissingError
from cuvee.process import Completed, Request, run
from cuvee.temporary_folders import temporary_folder

_KNOWN_GLIBC = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
"""Minor versions of glibc 2 that uv has a platform for."""

_UV_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_NO_INDEX")
_YANKED = re.compile(
    r"^warning: `(?P<name>[\w.-]+)(?:\[[^`\]]*\])?==(?P<version>[^`]+)` is yanked"
    r"(?: \(reason: \"(?P<reason>.*?)\"\))?$",
    flags=re.MULTILINE | re.DOTALL,
)
_TIMEOUT = 600.0
_LIMITS = {"UV_HTTP_TIMEOUT": "60", "UV_HTTP_RETRIES": "2"}  # as those of `cuvee.channel.file_transfer`
_FINDING = threading.Lock()  # finding uv fills sysconfig, which several threads cannot do at once


def platform_triple(platform: str, floor: Mapping[str, str]) -> str:
    """Return uv's name of a platform; for Linux the newest glibc that it knows and the floor allows.

    Raises
    ------
    BlockedError
        If the floor is older than any wheel platform that uv knows.
    """
    facts = platforms.get(platform)
    if facts.system == "win":
        return "x86_64-pc-windows-msvc"
    if facts.system == "osx":
        return f"{'aarch64' if facts.machine == 'arm64' else 'x86_64'}-apple-darwin"
    glibc = floor.get("glibc", "2.17")
    minor = int(glibc.split(".")[1]) if re.fullmatch(r"2\.\d+(\.\d+)*", glibc) else 0
    known = [one for one in _KNOWN_GLIBC if one <= minor]
    if not known:
        raise BlockedError(
            f"{platform}: wheels cannot be resolved for a glibc floor of {glibc}",
            hint="Raise the floor to at least 2.17 in the manifest.",
        )
    return f"{facts.wheel_arch}-manylinux_2_{known[-1]}"


def compile_requirements(
    requirements: Sequence[str],
    constraints: Sequence[str] = (),
    *,
    target: ResolutionTarget,
    more: Sequence[str] = (),
) -> Completed:
    """Resolve requirement lines (PEP 508) for one platform; standard output is a ``pylock.toml``.

    Raises
    ------
    ToolMissingError
        If uv is not installed.
    """
    with temporary_folder("uv") as folder:
        wanted, bounds = folder / "requirements.in", folder / "constraints.txt"
        wanted.write_text("".join(f"{line}\n" for line in requirements))
        if constraints:
            bounds.write_text("".join(f"{line}\n" for line in constraints))
            more = ("--constraints", str(bounds), *more)
        argv = [
            _binary(), "pip", "compile", str(wanted),
            "--format", "pylock.toml", "--generate-hashes", "--only-binary", ":all:", "--no-header",
            "--python-platform", platform_triple(target.platform, target.floor),
            "--python-version", target.python,
            "--python", sys.executable, "--no-python-downloads",
            "--no-progress", "--color", "never", *more,
        ]  # fmt: skip
        if target.prefer:
            kept = folder / "pylock.toml"  # uv prefers the versions of an existing output file
            kept.write_text(_pylock(target.prefer))
            argv += ["--output-file", str(kept)]
        if target.exclude_newer is not None:
            instant = target.exclude_newer.astimezone(UTC)
            argv += ["--exclude-newer", instant.strftime("%Y-%m-%dT%H:%M:%SZ")]
        is_macos = platforms.get(target.platform).system == "osx"
        environment = _environment(os.environ, target.floor if is_macos else {})
        environment["TMPDIR"] = str(folder)  # uv leaves lock files there
        # The folder is empty, so that uv does not read the settings of a project around the current folder.
        request = Request(argv=tuple(argv), cwd=folder, environment=environment, timeout=_TIMEOUT)
        return run(request)


def _pylock(versions: Mapping[str, str]) -> str:
    lines = ['lock-version = "1.0"', 'created-by = "cuvee"']
    for name, version in sorted(versions.items()):
        if not _is_of_the_index(name, version):
            continue  # uv reads the whole file or nothing of it
        lines += ["[[packages]]", f"name = {json.dumps(name)}", f"version = {json.dumps(version)}"]
    return "".join(f"{line}\n" for line in lines)


def _is_of_the_index(name: str, version: str) -> bool:
    """Whether uv can read a conda package's name and version; not ``_libgcc_mutex`` or ``9e_0``."""
    with suppress(InvalidName, InvalidVersion):
        canonicalize_name(name, validate=True)
        Version(version)
        return True
    return False


def _binary() -> str:
    try:
        from uv import find_uv_bin

        with _FINDING:
            return os.fspath(find_uv_bin())
    except (ImportError, FileNotFoundError):
        raise ToolMissingError("uv is not installed", hint="Run: python -m pip install uv") from None


def _environment(base: Mapping[str, str], macos: Mapping[str, str]) -> dict[str, str]:
    # Company networks have certificate authorities of their own. As variables, since uv renamed the option.
    environment = {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true", **_LIMITS, **base}
    if macos:
        environment["MACOSX_DEPLOYMENT_TARGET"] = macos.get("osx", "11.0")
    if (index := pip_index(base)) is not None:
        environment["UV_DEFAULT_INDEX"] = index
    return environment


def pip_index(environment: Mapping[str, str], files: Sequence[Path] | None = None) -> str | None:
    """Return the index that pip is configured for, if none is configured for uv.

    ``files`` are pip's configuration files, the strongest first; `None` for the usual ones.
    """
    if any(environment.get(name) for name in _UV_INDEX_VARIABLES) or _uv_has_index(environment):
        return None
    if url := environment.get("PIP_INDEX_URL"):
        return url
    for file in _pip_files(environment) if files is None else files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip reports it
        for section in ("install", "global"):
            if url := parser.get(section, "index-url", fallback=""):
                return url
    return None


def _pip_files(environment: Mapping[str, str]) -> list[Path]:
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "/")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    named = environment.get("PIP_CONFIG_FILE")
    return [
        *([Path(named)] if named else []),
        Path(sys.prefix, "pip.conf"),
        config / "pip" / "pip.conf",
        home / ".pip" / "pip.conf",
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
    ]


def _uv_has_index(environment: Mapping[str, str]) -> bool:
    home = Path(environment.get("HOME") or "/")
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    named = environment.get("UV_CONFIG_FILE")
    for file in [*([Path(named)] if named else []), config / "uv" / "uv.toml", Path("/etc/uv/uv.toml")]:
        try:
            settings = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        if any(
            key in table for table in (settings, settings.get("pip", {})) for key in ("index", "index-url")
        ):
            return True
    return False


def yanked(text: str) -> dict[tuple[str, Version], str]:
    """Return name and version of each project that uv's warnings call yanked, with the reason or nothing.

    https://packaging.python.org/en/latest/specifications/simple-repository-api/ (PEP 592)
    """
    found = {}
    for match in _YANKED.finditer(text):
        with suppress(InvalidVersion):
            reason = " ".join((match["reason"] or "").split())
            found[str(canonicalize_name(match["name"])), Version(match["version"])] = reason
    return found
