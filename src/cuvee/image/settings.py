"""What a distribution's installers do besides placing packages: data, the same for every format."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self


class Initialize(enum.Enum):
    """Whether an installer puts the release's programs on the user's search path."""

    ASK = "ask"
    """It asks where it can ask, and otherwise does it only when told so (``-c``, ``/AddToPath=1``)."""
    YES = "yes"
    """As `ASK`, but whoever just presses ENTER gets it."""
    NO = "no"
    """It is not offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraFile:
    """A file that goes into the prefix, though no package carries it.

    Attributes
    ----------
    source
        Where it is now.
    target
        Where it goes, relative to the prefix, with ``/``.
    sha256
        Hex digest of its bytes.
    executable
        Whether it may be run.
    """

    source: Path
    target: str
    sha256: str
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallerSettings:
    """The settings of one system's installers; the defaults are those of a distribution without any.

    Attributes
    ----------
    pre_install, post_install, pre_uninstall
        Texts of scripts, empty for none: POSIX shell or whatever their first line names, and batch files on
        Windows. One that fails ends the installation or removal, which then has changed nothing.
    script_environment
        Variables that the scripts get besides those that every installer gives them.
    condarc
        The text of ``<prefix>/.condarc``; `None` for no such file.
    extra_files
        Files besides those of packages, sorted by target.
    menu_packages
        The packages whose menu entries are made; `None` for all that have some, ``()`` for none.
    initialize
        Whether programs are put on the search path.
    register_python
        Whether Windows is told of the interpreter unless somebody says otherwise (PEP 514).
    default_prefix, default_prefix_all_users
        Where to install by default; may name environment variables in the system's own way. Empty for the
        installer's own default.
    keep_installer
        Whether the installer's own file stays in the prefix, so that a repair needs no other.
    """

    pre_install: str = ""
    post_install: str = ""
    pre_uninstall: str = ""
    script_environment: Mapping[str, str] = field(default_factory=dict)
    condarc: str | None = None
    extra_files: tuple[ExtraFile, ...] = ()
    menu_packages: tuple[str, ...] | None = None
    initialize: Initialize = Initialize.ASK
    register_python: bool = True
    default_prefix: str = ""
    default_prefix_all_users: str = ""
    keep_installer: bool = False

    @property
    def scripts(self) -> Mapping[str, str]:
        """Those of ``pre_install``, ``post_install`` and ``pre_uninstall`` that there are, to their texts."""
        texts = {
            "pre_install": self.pre_install,
            "post_install": self.post_install,
            "pre_uninstall": self.pre_uninstall,
        }
        return {name: text for name, text in texts.items() if text}

    def to_json(self) -> dict[str, Any]:
        """Give all but the extra files as JSON values; an image carries those among its other files."""
        value = {item.name: getattr(self, item.name) for item in fields(self) if item.name != "extra_files"}
        packages = None if self.menu_packages is None else list(self.menu_packages)
        variables = dict(self.script_environment)
        return value | {
            "initialize": self.initialize.value,
            "menu_packages": packages,
            "script_environment": variables,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises
        ------
        ValueError, TypeError
            If it gave something else.
        """
        packages = value["menu_packages"]
        changes = {
            "initialize": Initialize(value["initialize"]),
            "menu_packages": None if packages is None else tuple(packages),
        }
        return cls(**dict(value) | changes)
