"""What the channel stage returns: packages made for this release, and platforms that cannot be made here."""

from dataclasses import dataclass, field
from pathlib import Path

from cuvee.codec import LOCAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """CPython, packed as the conda package ``python`` for one platform.

    Attributes
    ----------
    version
        The full version, such as ``3.11.7``.
    archive
        The ``.conda`` file, in the cache of this machine; not in ``release.json``.
    origin
        Where it came from, as a text: ``pyenv's CPython 3.11.7 of this machine``.
    """

    platform: str
    version: str
    archive: Path = field(default=Path(), compare=False, metadata=LOCAL)
    origin: str

    @property
    def minor(self) -> str:
        """``3.11``."""
        return ".".join(self.version.split(".")[:2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """A platform that is not part of the release on this host, and why.

    ``by_choice`` means that the caller did not request it, rather than that it cannot be made.
    """

    platform: str
    reason: str
    hint: str = ""
    by_choice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedWheel:
    """A package of a patched wheel, whose tests have passed before it entered the channel.

    Attributes
    ----------
    package
        ``name-version-build@platform``; its log is called so.
    seconds
        How long the tests took; about 0 if they had passed before, with the same packages.
    not_tested
        Why they were not run; empty if they have passed.
    """

    __test__ = False

    package: str
    seconds: float = 0.0
    not_tested: str = ""
