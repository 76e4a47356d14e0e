"""Find a channel's repodata: a file, a folder, or a URL that is fetched into the cache first."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from cuvee.channel.connection import connect
from cuvee.conda.repodata import Repodata, parse_repodata
from cuvee.conda.url_secrets import without_secrets
from cuvee.errors import SourceUnreachableError, UsageError
from cuvee.files import parse_json
from cuvee.manifest.documents.named_files import missing_path
from cuvee.platforms import PLATFORMS

_FILES = ("repodata.json", "index.json")
_NOARCH = "noarch"
_PLATFORM = re.compile(r"[a-z0-9]+-[a-z0-9_]+")
"""A subdir of one system and machine; the systems and machines are more than those of releases."""

_HINT = (
    "A channel is a name such as conda-forge, a URL, a folder with <subdir>/repodata.json, or such a file."
)


def find_subdirs(source: str, platforms: Sequence[str], cache: Path) -> dict[str, Path]:
    """Return the repodata files of a channel by subdir; all that a folder has if no platforms are named.

    Parameters
    ----------
    cache
        The folder into which channels that are not on this machine are fetched.

    Raises
    ------
    SourceUnreachableError
        If there is no repodata for a named platform, or none at all.
    UsageError
        If there is no such path, or a channel that is not on this machine is named without a platform, or
        with one that no channel has.
    """
    if _NOARCH in platforms:
        raise UsageError("noarch is not a platform", hint="Name the platforms whose records use it.")
    path = Path(source)
    if path.is_file():
        return {_subdir_of(path, platforms): path}
    if path.is_dir():
        found = {
            file.parent.name: file
            for name in reversed(_FILES)
            for file in sorted(path.glob(f"*/{name}"))
            if file.parent.name == _NOARCH or _PLATFORM.fullmatch(file.parent.name)
        }
        return _selected(found, platforms, source)
    if "://" not in source and ("/" in source or source.startswith(".")):
        raise missing_path(Path(source), hint=_HINT)
    if not platforms:
        raise UsageError(
            f"No platform is named for {without_secrets(source)}",
            hint="Name them: --platform linux-64 --platform win-64",
        )
    return _selected(_fetched(source, platforms, cache), platforms, source)


def platforms_of(subdirs: Collection[str]) -> tuple[str, ...]:
    """Return the platforms among subdirs: those of releases first, the others by name."""
    known = [name for name in PLATFORMS if name in subdirs]
    return (*known, *sorted({*subdirs} - {*known, _NOARCH}))


def read_platform(subdirs: Mapping[str, Path], platform: str) -> tuple[Repodata, str]:
    """Read the records of a platform, in its subdir and noarch; also return the SHA-256 of the repodata."""
    parts: list[Repodata] = []
    digest = hashlib.sha256()
    for subdir, path in subdirs.items():
        if subdir not in {platform, _NOARCH}:
            continue
        try:
            data = path.read_bytes()
        except OSError as error:
            raise SourceUnreachableError(f"Cannot read {path}: {error.strerror}", hint=_HINT) from error
        digest.update(hashlib.sha256(data).digest())
        parts.append(parse_repodata(data, subdir=subdir, where=str(path)))
    whole = Repodata(
        records=tuple(record for part in parts for record in part.records),
        problems=tuple(problem for part in parts for problem in part.problems),
        twins=sum(part.twins for part in parts),
    )
    return whole, digest.hexdigest()


def _subdir_of(path: Path, platforms: Sequence[str]) -> str:
    """Return the platform of a file: the named one, its folder's, or the one in the file."""
    if len(platforms) > 1:
        raise UsageError(f"{path} is the repodata of one platform", hint="Name one platform, or a folder.")
    if platforms:
        return platforms[0]
    try:
        info = parse_json(path.read_bytes()).get("info")
    except (OSError, ValueError, AttributeError):
        info = None
    stated = str(info.get("subdir")) if isinstance(info, dict) else ""
    for subdir in (path.parent.name, stated):
        if subdir in _known_subdirs():
            return subdir
    if _PLATFORM.fullmatch(stated):
        return stated
    raise UsageError(f"No platform is named for {path}", hint="Name it: --platform linux-64")


def _selected(found: dict[str, Path], platforms: Sequence[str], source: str) -> dict[str, Path]:
    for name in platforms:
        if name not in found and (_NOARCH not in found or name not in _known_subdirs()):
            raise SourceUnreachableError(f"{without_secrets(source)} has no repodata for {name}", hint=_HINT)
    if not platforms and list(found) == [_NOARCH]:
        raise UsageError(
            f"{without_secrets(source)} has only noarch, which is checked together with a platform",
            hint="Name the platforms: --platform linux-64 --platform win-64",
        )
    if not platforms and not found:
        raise SourceUnreachableError(f"{without_secrets(source)} has no <subdir>/repodata.json", hint=_HINT)
    return {name: path for name, path in found.items() if not platforms or name in {*platforms, _NOARCH}}


def _fetched(source: str, platforms: Sequence[str], cache: Path) -> dict[str, Path]:
    """Fetch the repodata of a channel, which need not have all subdirs."""
    for name in platforms:
        if name not in _known_subdirs():
            raise UsageError(f"There is no subdir {name!r}", hint=f"Known: {', '.join(_known_subdirs())}")
    connection = connect(cache)
    found = ((name, connection.repodata_file(source, name)) for name in (*platforms, _NOARCH))
    return {name: path for name, path in found if path is not None}


def _known_subdirs() -> list[str]:
    """Return the platforms that rattler knows: more than releases can have."""
    from rattler import Subdir

    return [str(subdir) for subdir in Subdir.all() if str(subdir) != _NOARCH]
