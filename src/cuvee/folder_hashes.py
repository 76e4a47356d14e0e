"""Hashes of folders of files, and of cuvee itself."""

import functools
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from cuvee.codec import Json
from cuvee.files import fingerprint, sha256_file

_LARGE = 1 << 20
"""Bytes of a file from which on a thread takes less time than it saves."""


_ONCE = threading.Lock()


def code_fingerprint() -> str:
    """Return a fingerprint of cuvee itself: a changed program must do its work again."""
    with _ONCE:  # else each of several threads that ask at the same time would read all files
        return _code_fingerprint()


@functools.cache
def _code_fingerprint() -> str:
    return fingerprint(folder_inputs(Path(__file__).parent))


def folder_inputs(path: Path | None) -> Json:
    """Return name and hash of each file below a folder; `None` if there is no folder."""
    if path is None or not path.is_dir():
        return None
    files = [(parts, file) for parts, file in _walk(str(path)) if not file.endswith(".pyc")]
    return [["/".join(parts), sha256_file(Path(file))] for parts, file in files]


def file_hashes(
    paths: Iterable[Path], known: Mapping[Path, str] = MappingProxyType({})
) -> list[tuple[Path, str]]:
    """Return the files among ``paths``, and in the folders among them, each with its hash.

    Those that are ``known`` are not read.
    """
    files = list(_files(paths))
    unknown = [file for file in files if file not in known]
    large = [file for file in unknown if file.stat().st_size >= _LARGE]
    if len(large) <= 1:
        found = {file: sha256_file(file) for file in unknown}
        return [(file, known.get(file) or found[file]) for file in files]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as threads:  # hashlib releases the GIL
        hashing = {file: threads.submit(sha256_file, file) for file in large}
        found = {file: sha256_file(file) for file in unknown if file not in hashing}
        found |= {file: future.result() for file, future in hashing.items()}
    return [(file, known.get(file) or found[file]) for file in files]


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
