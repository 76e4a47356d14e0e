"""Hashes of folders of files, and of cuvee itself."""

import functools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from cuvee.codec import Json
from cuvee.files import fingerprint, sha256_file

_LARGE = 1 << 20
"""Bytes of a file from which on a thread takes less time than it saves."""


@functools.cache
def code_fingerprint() -> str:
    """Return a fingerprint of cuvee itself: a changed program must do its work again."""
    return fingerprint(folder_inputs(Path(__file__).parent))


def folder_inputs(path: Path | None) -> Json:
    """Return name and hash of each file below a folder; `None` if there is no folder."""
    if path is None or not path.is_dir():
        return None
    files = [(parts, file) for parts, file in _walk(str(path)) if not file.endswith(".pyc")]
    return [["/".join(parts), sha256_file(Path(file))] for parts, file in files]


def file_hashes(paths: Iterable[Path]) -> list[tuple[Path, str]]:
    """Return the files among ``paths``, and in the folders among them, each with its hash."""
    files = list(_files(paths))
    large = [file for file in files if file.stat().st_size >= _LARGE]
    if len(large) <= 1:
        return [(file, sha256_file(file)) for file in files]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as threads:  # hashlib releases the GIL
        hashing = {file: threads.submit(sha256_file, file) for file in large}
        small = {file: sha256_file(file) for file in files if file not in hashing}
        return [(file, small[file] if file in small else hashing[file].result()) for file in files]


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from (Path(file) for _, file in _walk(str(path)))
        elif path.exists():
            yield path


def _walk(folder: str) -> list[tuple[tuple[str, ...], str]]:
    """Return the files below a folder, by the parts of their paths, sorted; links to folders are left out."""
    return sorted(_found(folder, ()))


def _found(folder: str, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            parts = (*above, entry.name)
            if entry.is_dir(follow_symlinks=False):
                yield from _found(entry.path, parts)
            elif entry.is_file():
                yield parts, entry.path
