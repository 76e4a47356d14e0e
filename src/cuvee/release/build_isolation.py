"""How the programs of builds, and of the tests of what was built, are kept from the rest of this machine."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cuvee.build.build_journal import Isolate
from cuvee.integration.runners.isolation import isolation_command
from cuvee.integration.runners.protocol import Sandbox


def isolated_by(level: str | None, secrets: Sequence[Path]) -> Isolate:
    """Return what isolates programs at a level, or not at all; it can be sent to another process.

    Parameters
    ----------
    secrets
        Files that they must not read.
    """
    return partial(_isolated, level, tuple(secrets))


def _isolated(level: str | None, secrets: tuple[Path, ...], folder: Path) -> tuple[str, ...]:
    if level is None:
        return ()
    sandbox = Sandbox(platform="", prefix=folder, home=folder / "home", temp=folder / "tmp", hidden=secrets)
    return isolation_command(level, sandbox)
