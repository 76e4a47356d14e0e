"""What stage 0 must know of files: what modules import, which libraries are needed, where links lead.

It is cached for the packages that stage 0 may have, so that they are opened only if one of them has changed.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from cuvee import checked_cache
from cuvee.files import fingerprint, parse_json
from cuvee.folder_hashes import code_fingerprint
from cuvee.image.python_paths import PythonPaths
from cuvee.progress import SILENT, Reporter

Finder = Callable[[bytes], list[str]]


class Stage0Facts:
    """Facts of planned files by their path; those in the cache are known without reading the file.

    Parameters
    ----------
    read
        Returns the bytes of the planned file at a path.
    known
        What is known already; what is found is added.
    """

    def __init__(self, read: Callable[[str], bytes], known: Mapping[str, list[str]] | None = None) -> None:
        self._read = read
        self._known = dict(known or {})
        self._path: Path | None = None
        self._loaded = len(self._known)

    @classmethod
    def cached(
        cls,
        read: Callable[[str], bytes],
        *,
        archives: Mapping[str, str],
        python: PythonPaths,
        cache: Path,
        reporter: Reporter = SILENT,
    ) -> Self:
        """Return the facts of packages with these names and hashes; only their files may be asked for."""
        place = [python.platform.name, python.full_version, python.site_packages]
        key = fingerprint([code_fingerprint(), place, dict(archives)])
        path = cache / "stage0" / f"{key}.facts"
        content = checked_cache.load(path, reporter)
        facts = cls(read, {} if content is None else parse_json(bytes(content)))
        facts._path = path
        return facts

    def save(self) -> None:
        """Write what is new into the cache."""
        if self._path is not None and len(self._known) != self._loaded:
            checked_cache.save(self._path, json.dumps(self._known, separators=(",", ":")).encode())

    def find(self, path: str, finder: Finder, data: bytes | None = None) -> list[str]:
        """Return what a finder finds in a file, or in ``data``; for each path there is only one finder."""
        if path not in self._known:
            self._known[path] = finder(self._read(path) if data is None else data)
        return self._known[path]
