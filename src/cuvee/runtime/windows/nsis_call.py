"""What the installer's NSIS part hands over: paths by the environment, choices as options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..installer_run import InstallerRun
from .exe_container import open_container


class NsisCall(NamedTuple):
    """Paths from the environment, see `nsis_verbs`, and the options."""

    installer: str
    prefix: str
    run: str
    staged: str
    anchor: str
    log: str
    output: str
    folder: str
    menu: str
    desktop: str
    key: str
    options: tuple[str, ...] = ()

    @property
    def manifest_sha256(self) -> str:
        """Return the hash of the manifest, which the NSIS part states; empty in an uninstaller."""
        return self.values().get("manifest", "")

    def values(self) -> dict[str, str]:
        """Return the options that have a value."""
        return dict(option[2:].split("=", 1) for option in self.options if "=" in option)

    def installer_run(self, verb: str, options: Iterable[str], *, check: bool = True) -> InstallerRun:
        """Return what the runtime must know to run a verb with the installer, once its hash is checked."""
        container = open_container(self.installer, check=check)
        key = [f"--key={self.key}"] if self.key else []
        return InstallerRun(
            verb, self.installer, self.staged, self.prefix, self.anchor, "-",
            *container, self.manifest_sha256, frozenset((*options, *key)),
        )  # fmt: skip
