"""Testing one package by itself, in a fresh environment of exactly the packages that were resolved for it."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from cuvee.build.build_journal import BuildJournal
from cuvee.build.engine import BuildFolder
from cuvee.build.environments import write_test_channel
from cuvee.process import Request


def run_archive_tests(
    archive: Path,
    *,
    subdir: str,
    environment: Iterable[tuple[str, Path]],
    request: Callable[[Path, BuildFolder], Request],
    path: Path,
    journal: BuildJournal,
) -> None:
    """Install a package in a fresh environment and run its tests.

    Parameters
    ----------
    environment
        The archives of what it and its tests need, each with its subdir.
    request
        Returns the request that does it, for a copy of the archive, in a folder.
    path
        A folder that does not exist; it is removed afterwards.

    Raises
    ------
    BlockedError
        If the tests fail, or do not end; the message has the end of the log.
    """
    folder = prepared_folder(path, {}, 0)
    write_test_channel(folder, (*environment, (subdir, archive)), journal.target.platform)
    copy = folder.path / archive.name
    shutil.copyfile(archive, copy)
    journal.run(request(copy, folder), folder.path, "test")
    shutil.rmtree(folder.path)


def prepared_folder(path: Path, sources: Mapping[str, Path], epoch: int) -> BuildFolder:
    """Return a new folder in which an engine works."""
    folder = BuildFolder(path=path, channel=path / "channel", sources=sources, epoch=epoch)
    for part in (folder.home, folder.temporary, folder.output):
        part.mkdir(parents=True)
    return folder
