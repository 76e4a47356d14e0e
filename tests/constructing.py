"""Constructor projects that tests write."""

import struct
from collections.abc import Mapping
from typing import Protocol

from cuvee.installers.constructor.model import Project

BITMAP = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 58, 0, 0, 54, 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0) + bytes(4)
"""A bitmap of one pixel."""

_PICTURE = struct.pack("<IiiHHIIiiII", 40, 1, 2, 1, 24, 0, 8, 0, 0, 0, 0) + bytes(8)
ICON = b"\0\0\1\0\1\0" + struct.pack("<BBBBHHII", 1, 1, 0, 0, 1, 24, len(_PICTURE), 22) + _PICTURE
"""An icon of one pixel."""

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
