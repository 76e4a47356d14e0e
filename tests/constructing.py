"""Constructor projects that tests write."""

from collections.abc import Mapping
from typing import Protocol

from cuvee.installers.constructor.model import Project

HEAD = "name: Tool\nversion: 1.2.3\n"
MINIMAL = f"{HEAD}channels:\n  - conda-forge\nspecs:\n  - python\n"


class Read(Protocol):
    """Writes a project and reads it; what ``text`` leaves out is a name, a version, a channel and a spec."""

    def __call__(
        self,
        text: str = "",
        platform: str = "linux-64",
        *,
        base: str = MINIMAL,
        environment: Mapping[str, str] | None = None,
        **files: str,
    ) -> Project: ...
