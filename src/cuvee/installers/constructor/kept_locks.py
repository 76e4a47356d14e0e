"""Locks of projects in the cache: while specs and repodata are the same, nothing is solved again."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from cuvee import checked_cache
from cuvee.channel.connection import Connection
from cuvee.codec import decode, encode
from cuvee.files import fingerprint, parse_json, sha256_file
from cuvee.folder_hashes import code_fingerprint
from cuvee.installers.constructor.model import Project
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter

_NOARCH = "noarch"


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedProject:
    """What solving a project has given.

    Attributes
    ----------
    added
        What the user is told of a package that was added, or empty.
    """

    lock: PlatformLock
    added: str = ""


def kept_or_solved(
    project: Project,
    solve: Callable[[], SolvedProject],
    *,
    cache: Path,
    connection: Connection,
    reporter: Reporter,
) -> SolvedProject:
    """Return the solution in the cache if it is of these specs and of this repodata, else a new one.

    For errors see `Connection.repodata_file`.
    """
    packages = project.packages
    subdirs = [
        [source, subdir, None if path is None else sha256_file(path)]
        for source in packages.channels
        for subdir in (project.platform, _NOARCH)
        for path in (connection.repodata_file(source, subdir),)
    ]
    specs = [project.platform, list(packages.specs), dict(packages.floor)]
    key = fingerprint([code_fingerprint(), version("py-rattler"), specs, subdirs])
    path = cache / "solved" / key
    content = checked_cache.load(path, reporter)
    if content is not None:
        return decode(SolvedProject, parse_json(bytes(content)))
    solved = solve()
    checked_cache.save(path, json.dumps(encode(solved), separators=(",", ":")).encode())
    return solved
