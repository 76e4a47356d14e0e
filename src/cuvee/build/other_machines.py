"""What a machine of a cluster must have before it builds: the same files at the same paths, and compilers."""

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from cuvee.build.model import Recipe
from cuvee.build.recipe_files import find_recipe
from cuvee.build.settings_packages import compiler_version
from cuvee.errors import BlockedError, CuveeError

_SHOWN = 5


def check_machine(
    recipe: Recipe, files: list[Path], compilers: Mapping[str, str], *, platform: str = "", machine: str = ""
) -> None:
    """Raise `BlockedError` if this machine would not build what the one that has planned the build would.

    Parameters
    ----------
    files
        Archives and sources.
    compilers
        The version of each compiler of the planning machine that stands for a package.
    platform, machine
        The platform that is built for, and that of the planning machine.
    """
    problems = list(_problems(recipe, files, compilers, platform, machine))
    if problems:
        shown = problems[:_SHOWN]
        if len(problems) > _SHOWN:
            shown.append(f"and {len(problems) - _SHOWN} more")
        raise BlockedError(
            f"{socket.gethostname()} cannot build {recipe.name}:\n"
            + "\n".join(f"  {line}" for line in shown),
            hint="Workers need cache, release folder and recipes at the same paths, on a disk that all "
            "machines share, and the same compilers. Without --executor everything is built here.",
        )


def _problems(
    recipe: Recipe, files: list[Path], compilers: Mapping[str, str], platform: str, machine: str
) -> Iterator[str]:
    yield from (f"{path} is not there" for path in files if not path.is_file())
    try:
        if find_recipe(recipe.folder).digest != recipe.digest:
            yield f"{recipe.folder} has another recipe"
    except (CuveeError, OSError):
        yield f"{recipe.folder} has no recipe"
    for name, version in compilers.items():
        try:
            found = compiler_version(name, platform, machine)
        except CuveeError as error:
            yield error.message
        else:
            if found != version:
                yield f"{name} is {found}, not {version}"
