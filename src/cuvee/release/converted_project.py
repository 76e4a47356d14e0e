"""Converting a locked constructor project to our installers, unless what it gives is there already."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cuvee.installers.constructor.model import Project
from cuvee.installers.constructor.project_lock import ProjectTools
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter
from cuvee.release.artefacts import Artefact
from cuvee.release.project_outputs import ProjectOutputs, place_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedProject:
    """The result of converting a project on one platform.

    Attributes
    ----------
    artefacts
        The installers, or why they were not made; their paths are relative to the output folder.
    outputs
        The other files that were written beside them.
    """

    project: Project
    lock: PlatformLock
    artefacts: tuple[Artefact, ...] = ()
    outputs: tuple[Path, ...] = ()


def convert_project(
    project: Project, lock: PlatformLock, *, output: Path, tools: ProjectTools
) -> ConvertedProject:
    """Return what a locked project gives in ``output``; see `make_project_installers`, which makes it.

    What an earlier run has made of the same is hashed, and left.
    """
    known = ProjectOutputs.find(place_of(project, lock, output, tools.cache), output, tools.reporter)
    if known is None:
        from cuvee.release.project_installers import make_project_installers

        return make_project_installers(project, lock, output=output, tools=tools)
    tell_link_scripts(known.with_link_scripts, tools.reporter)
    tools.reporter.say(f"{lock.platform}: unchanged")
    files = [output / name for name in known.files]
    installers = [output / item.path for item in known.artefacts]
    outputs = tuple(path for path in files if path not in installers)
    return ConvertedProject(project=project, lock=lock, artefacts=known.artefacts, outputs=outputs)


def tell_link_scripts(scripted: Sequence[str], reporter: Reporter) -> None:
    """Report packages whose link scripts constructor's installers would run."""
    if scripted:
        reporter.say(
            f"installers: the link scripts of {', '.join(scripted)} will not run; constructor's installers "
            "would run them"
        )
