"""Recipes, what they render to on a platform, and what a build leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cuvee.channel.patches.patch_files import PatchSet

BUILDER = "2"
"""Changes with what this room makes of the same inputs; until then nothing is built again."""

Engine = Literal["rattler-build", "conda-build"]

COMPILERS = {"gcc": "gcc", "gxx": "g++", "gfortran": "gfortran"}
"""Compilers of the host that stand for the package ``<name>_<platform>`` if no channel carries that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A folder that says how packages are built.

    Attributes
    ----------
    name
        The folder's name, as the manifest has it.
    file
        Its ``recipe.yaml`` or ``meta.yaml``.
    engine
        The program that such a file is for.
    digest
        The hex SHA-256 of all its files and their names: recipe, scripts, patches, local sources.
    patches
        Those that the manifest adds; `None` for none.
    """

    name: str
    file: Path
    engine: Engine
    digest: str
    patches: PatchSet | None = None

    @property
    def folder(self) -> Path:
        """The folder."""
        return self.file.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An archive or a file that a recipe takes from elsewhere.

    Attributes
    ----------
    urls
        Where to get it, in the order in which to try.
    sha256
        The hex digest that the recipe states.
    file_name
        What it is called on the disk.
    """

    urls: tuple[str, ...]
    sha256: str
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One package that a recipe makes on one platform, with the release's versions as variant.

    Attributes
    ----------
    subdir
        The platform that it is for, or ``noarch``.
    variant
        The pins that the package depends on.
    build_specs, host_specs, run_specs
        Its requirements; the engine may add to those at run time.
    test_specs
        What its tests need besides.
    tests
        How many tests it has.
    document
        The rendered recipe as JSON text: what the engine builds.
    """

    recipe: Recipe
    name: str
    version: str
    build: str
    subdir: str
    variant: Mapping[str, str] = field(default_factory=dict)
    build_specs: tuple[str, ...] = ()
    host_specs: tuple[str, ...] = ()
    run_specs: tuple[str, ...] = ()
    test_specs: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    tests: int = 0
    document: str

    @property
    def stem(self) -> str:
        """``name-version-build``."""
        return f"{self.name}-{self.version}-{self.build}"

    @property
    def identifier(self) -> str:
        """The unit of work: ``name-version-build@platform``."""
        return f"{self.stem}@{self.subdir}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyParts:
    """What a build depends on; the hash of all of it is the build's key.

    Attributes
    ----------
    package
        Which of the recipe's packages it is: ``name-version-build``.
    sources
        The SHA-256 of each source.
    build_environment, host_environment, test_environment
        The SHA-256 of each package in them, by ``name-version-build``; of one that a recipe makes it is the
        build's key, so that all that needs a changed recipe is built again, as the plan says.
    engine
        The engine and its version, and that of the code here that decides what a build leaves.
    patches
        The SHA-256 of each patch of the manifest, and of what the manifest says of them, by name.
    """

    recipe: str
    package: str
    sources: tuple[str, ...]
    variant: Mapping[str, str]
    build_environment: Mapping[str, str]
    host_environment: Mapping[str, str]
    test_environment: Mapping[str, str]
    platform: str
    engine: str
    patches: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltPackage:
    """A package that was built and tested.

    Attributes
    ----------
    file_name
        That of the archive.
    sha256
        Its hex digest.
    key
        The build's key.
    seconds
        How long build and tests took.
    reused
        Whether an earlier run has built it.
    wave
        That of the run, from 1; 0 if it is not known.
    not_tested
        Why its tests were not run; empty if they have passed.
    built_on
        The platform of the machine that has built and tested it, as that says, if a run was given what
        another machine has built; else empty.
    """

    recipe: str
    name: str
    version: str
    build: str
    subdir: str
    file_name: str
    sha256: str
    key: str
    seconds: float = 0.0
    reused: bool = False
    wave: int = 0
    not_tested: str = ""
    built_on: str = ""

    @property
    def stem(self) -> str:
        """``name-version-build``."""
        return f"{self.name}-{self.version}-{self.build}"

    @property
    def log(self) -> str:
        """The name of its log's file."""
        return f"{self.stem}@{self.subdir}.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFrom:
    """What a package was built from, besides the packages of its environments.

    Attributes
    ----------
    sha256
        The hex digest of the package's archive.
    recipe_sha256
        That of the recipe's files, as `Recipe.digest`.
    """

    sha256: str
    recipe: str
    recipe_sha256: str
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Irreproducible:
    """A package of which two builds differ.

    Attributes
    ----------
    files
        The paths that differ, or that only one of them has.
    """

    package: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotBuilt:
    """A package of a recipe that this run cannot build for a platform, and why."""

    recipe: str
    name: str
    platform: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeFacts:
    """What the checks of a release need to know of its recipes.

    Attributes
    ----------
    unneeded
        Recipes of which neither the manifest nor another recipe needs anything.
    irreproducible
        Packages of which two builds differ, if that was checked.
    not_built
        What the manifest requests of recipes, and the run could not build.
    asked
        Names of packages that builds and their tests ask for, whether they are in the release or not.
    built
        The packages that were built: ``name-version-build@platform``.
    """

    unneeded: tuple[str, ...] = ()
    irreproducible: tuple[Irreproducible, ...] = ()
    not_built: tuple[NotBuilt, ...] = ()
    asked: tuple[str, ...] = ()
    built: tuple[str, ...] = ()
