"""The settings of a distribution's installers, the same for every format."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class Initialize(enum.Enum):
    """Whether an installer puts the release's programs on the user's search path."""

    ASK = "ask"
    """The installer asks the user; without one, it does so only with an option (``-c``, ``/AddToPath=1``)."""
    YES = "yes"
    """As `ASK`, with yes as the default answer."""
    NO = "no"
    """The installer does not offer it."""


class ByteCode(enum.Enum):
    """Who compiles the modules of a release, unless they are in the part that starts its Python."""

    INSTALLER = "installer"
    """The installer has their byte code."""
    DESKTOP = "desktop"
    """Each installation compiles, as the last step; the installer has the hashes of what must come out."""
    NONE = "none"
    """Python itself, when a module is first imported, if it may write there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraFile:
    """A file of the prefix that belongs to no package; its target is relative to the prefix, with ``/``."""

    source: Path
    target: str
    sha256: str
    executable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallerSettings:
    """What the installers of one system do besides linking packages.

    Attributes
    ----------
    pre_install, post_install, pre_uninstall
        Texts of scripts, empty for none: POSIX shell or whatever their first line names, and batch files on
        Windows. If one fails, the installation or removal fails and leaves no change.
    script_environment
        Variables for the scripts, in addition to those that every installer sets.
    condarc
        The text of ``<prefix>/.condarc``; `None` for no such file.
    extra_files
        Files besides those of packages, sorted by target.
    menu_packages
        The packages whose menu entries are made; `None` for all packages that have some, ``()`` for none.
    register_python
        Whether the interpreter is registered on Windows by default, https://peps.python.org/pep-0514/.
    default_prefix, default_prefix_all_users
        Where to install by default, with environment variables in the system's syntax. Empty for the
        installer's own default.
    keep_installer
        Whether the installer's own file stays in the prefix, so that a repair needs no other.
    bytecode
        Where byte code comes from.
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
    bytecode: ByteCode = ByteCode.INSTALLER

    @property
    def scripts(self) -> Mapping[str, str]:
        """The texts of scripts that are set: ``pre_install``, ``post_install``, ``pre_uninstall``."""
        texts = {
            "pre_install": self.pre_install,
            "post_install": self.post_install,
            "pre_uninstall": self.pre_uninstall,
        }
        return {name: text for name, text in texts.items() if text}
