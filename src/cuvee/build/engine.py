"""What an engine does for the build stage: one small protocol for rattler-build and conda-build."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cuvee.build.model import Output, Recipe
from cuvee.process import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFolder:
    """Where one build works; all of it is temporary, and nothing else may be written.

    Attributes
    ----------
    path
        The folder. It is the same for the same build key on any machine: compilers write it into files.
    channel
        The channel with exactly the packages of the build's environments.
    sources
        The verified file of each source, by its SHA-256.
    epoch
        ``SOURCE_DATE_EPOCH``: the time of everything that is built.
    """

    path: Path
    channel: Path
    sources: Mapping[str, Path]
    epoch: int

    @property
    def home(self) -> Path:
        """The empty HOME."""
        return self.path / "home"

    @property
    def temporary(self) -> Path:
        """The folder for temporary files."""
        return self.path / "tmp"

    @property
    def recipe(self) -> Path:
        """A copy of the recipe."""
        return self.path / "recipe"

    @property
    def output(self) -> Path:
        """What the engine makes."""
        return self.path / "output"


class BuildEngine(Protocol):
    """A program that renders recipes, builds packages and tests them."""

    @property
    def version(self) -> str:
        """Its name and version, as a part of build keys."""

    def check(self) -> None:
        """Raise `ToolMissingError` if it is not installed."""

    def read(self, recipe: Recipe) -> None:
        """Raise a `DocumentError` for what is wrong with a recipe on any platform and in any variant."""

    def render(self, recipe: Recipe, platform: str, variant: Mapping[str, str]) -> tuple[Output, ...]:
        """Return what a recipe makes on a platform; a `DocumentError` has all that is wrong with it."""

    def build_request(self, output: Output, folder: BuildFolder) -> Request:
        """Return the request that builds a package below the folder's ``output``."""

    def test_request(self, output: Output, archive: Path, folder: BuildFolder) -> Request:
        """Return the request that installs a package in a fresh environment and runs its tests."""
