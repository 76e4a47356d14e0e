"""Finding the programs that make installers, in a version that supports what is needed."""

import re

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.process import Request

_VERSION = re.compile(r"(\d+)\.(\d+)")


def find_program(name: str, option: str, *, oldest: tuple[int, int], hint: str) -> str:
    """Return the absolute path of a program on PATH.

    Parameters
    ----------
    option
        With which the program prints its version.
    oldest
        The oldest supported version, as in ``(3, 16)``.
    hint
        What to install.

    Raises
    ------
    ToolMissingError
        If it is absent or too old.
    """
    program = process.find(name, hint=hint)
    printed = process.run(Request(argv=(program, option), timeout=120)).stdout
    version = _VERSION.search(printed)
    if version is None:
        raise ToolMissingError(f"{program} does not print its version", hint=hint)
    if (int(version[1]), int(version[2])) < oldest:
        raise ToolMissingError(f"{program} has version {version[0]}, which is too old", hint=hint)
    return program
