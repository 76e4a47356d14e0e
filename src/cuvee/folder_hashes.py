"""Hashes of folders of files, and of cuvee itself."""

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

from cuvee.codec import Json
from cuvee.files import fingerprint, sha256_file


@functools.cache
def code_fingerprint() -> str:
    """Return a fingerprint of cuvee itself: a changed program must do its work again."""
    return fingerprint(folder_inputs(Path(__file__).parent))


def folder_inputs(path: Path | None) -> Json:
    """Return name and hash of each file below a folder; `None` if there is no folder."""
    if path is None or not path.is_dir():
        return None
    files = [file for file in _files([path]) if file.suffix != ".pyc"]
    return [[file.relative_to(path).as_posix(), sha] for file, sha in file_hashes(files)]


def file_hashes(paths: Iterable[Path]) -> list[tuple[Path, str]]:
    """Return the files among ``paths``, and in the folders among them, each with its hash."""
    files = list(_files(paths))
    if len(files) == 1:
        return [(files[0], sha256_file(files[0]))]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as threads:  # hashlib releases the GIL
        return list(zip(files, threads.map(sha256_file, files), strict=True))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file())
        elif path.exists():
            yield path
