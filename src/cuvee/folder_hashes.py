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
    files = [file for file in _files([path]) if not file.name.endswith(".pyc")]
    return [[file.relative_to(path).as_posix(), sha] for file, sha in file_hashes(files)]


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
            found = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
            yield from sorted(file for file in found if file.is_file())
        elif path.exists():
            yield path
