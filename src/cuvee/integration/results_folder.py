"""Writing and reading ``results/<platform>/``: ``outcomes.json``, ``junit.xml`` and ``logs/``."""

from pathlib import Path

from cuvee.codec import Document
from cuvee.files import write_bytes
from cuvee.integration.junit import junit
from cuvee.integration.outcomes import PlatformRun

OUTCOMES = "outcomes.json"
JUNIT = "junit.xml"

_DOCUMENT = Document(name="platform-run", kind=PlatformRun)


def write_run(folder: Path, run: PlatformRun) -> None:
    """Write ``outcomes.json`` and ``junit.xml`` into ``folder``."""
    _DOCUMENT.write(folder / OUTCOMES, run)
    write_bytes(folder / JUNIT, junit(run))


def read_run(folder: Path) -> PlatformRun:
    """Return the run that `write_run` wrote into ``folder``.

    Raises
    ------
    SourceUnreachableError
        If there is none.
    IntegrityError
        If it is not what cuvee writes.
    """
    return _DOCUMENT.read(folder / OUTCOMES)
