"""Recipes for tests, and environments that need no channel."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cuvee.build.build_order import BuildOrder, in_order
from cuvee.build.build_plan import BuildPlan, Planner
from cuvee.build.build_waves import BuildsDone, BuildSettings, build_waves
from cuvee.build.cross_building import BuildTarget
from cuvee.build.engine import BuildEngine
from cuvee.build.environments import EnvironmentSources
from cuvee.build.kept_builds import BuildCache
from cuvee.build.model import Output
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.build.recipe_files import find_recipe
from cuvee.channel.connection import connect
from cuvee.conda.package_info import read_index
from cuvee.conda.package_record import LockedPackage
from cuvee.files import fingerprint, sha256_file
from cuvee.integration.runners.isolation import isolation_command, strongest_isolation
from cuvee.integration.runners.protocol import Sandbox
from cuvee.platforms import host
from cuvee.progress import SILENT

_HERE = host()
HOST = _HERE.name if _HERE is not None else "linux-64"


def write_recipe(folder: Path, text: str, **files: str) -> Path:
    """Write a recipe into a folder, with more files by their names with ``_`` for ``.``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, encoding="utf-8")
    return folder


def simple(
    name: str, *, script: str = "", host: Sequence[str] = (), run: Sequence[str] = (), test: str = "true"
) -> str:
    """Return a recipe without sources, which writes a file and needs no other package but the given ones."""
    script = script or f"mkdir -p $PREFIX/share && echo {name} > $PREFIX/share/{name}"
    return f"""\
package:
  name: {name}
  version: "1.0"
build:
  noarch: generic
  script:
    - {script}
requirements:
  host: [{", ".join(host)}]
  run: [{", ".join(run)}]
tests:
  - script:
      - {test}
about:
  license: MIT
"""


@dataclass
class FakeEnvironments:
    """Environments of packages that this run has built; it counts how often it is asked."""

    known: Mapping[str, LockedPackage] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def carried(self, platform: str) -> frozenset[str]:
        return frozenset(self.known)

    def state(self) -> str:
        return fingerprint(sorted(package.sha256 for package in self.known.values()))

    def resolve(
        self, specs: Sequence[str], platform: str, *, purpose: str, built: Path | None
    ) -> tuple[LockedPackage, ...]:
        self.asked.append(purpose)
        names = {spec.split()[0] for spec in specs}
        local = {} if built is None else {path.name: path for path in built.glob("*/*.conda")}
        found = [_locked(path, platform) for path in local.values()]
        return tuple(item for item in (*found, *self.known.values()) if item.name in names)

    def archives(self, packages: Iterable[LockedPackage]) -> dict[str, Path]:
        return {package.identifier: Path(package.url) for package in packages}


def _locked(path: Path, platform: str) -> LockedPackage:
    index = read_index(path)
    return LockedPackage(
        name=index.name,
        version=index.version,
        build=index.build,
        build_number=index.build_number,
        subdir=path.parent.name,
        url=str(path),
        channel="built",
        sha256=sha256_file(path),
        platform=platform,
    )


def isolated(folder: Path) -> tuple[str, ...]:
    """Return what to prefix a command with, as the build stage does."""
    level = strongest_isolation()
    if level is None:
        return ()
    sandbox = Sandbox(platform="", prefix=folder, home=folder / "home", temp=folder / "tmp")
    return isolation_command(level, sandbox)


@dataclass
class Builds:
    """Recipes in a folder, and a cache."""

    root: Path
    source: FakeEnvironments = field(default_factory=FakeEnvironments)
    engine: Any = field(default_factory=RattlerEngine)
    target: BuildTarget = field(default_factory=lambda: BuildTarget(platform=HOST))

    @property
    def recipes(self) -> Path:
        return self.root / "recipes"

    @property
    def cache(self) -> BuildCache:
        return BuildCache(self.root / "cache")

    def add(self, name: str, text: str = "", **files: str) -> Path:
        return write_recipe(self.recipes / name, text or simple(name), **files)

    @property
    def engines(self) -> Mapping[Any, BuildEngine]:
        return {"rattler-build": self.engine, "conda-build": self.engine}

    def outputs(self) -> list[Output]:
        found = map(find_recipe, sorted(self.recipes.iterdir()))
        return [output for recipe in found for output in self.engine.render(recipe, self.target.platform, {})]

    def order(self) -> BuildOrder:
        return in_order(self.outputs(), ())

    def plan(self) -> BuildPlan:
        return Planner(self.order(), engines=self.engines, sources=self.sources, cache=self.cache).plan()

    @property
    def sources(self) -> EnvironmentSources:
        platform = self.target.platform
        return EnvironmentSources(
            machine=HOST, platform=platform, at_build=self.source, of_target=self.source
        )

    def build(self, *, check_reproducible: bool = False, executor: Executor | None = None) -> BuildsDone:
        settings = BuildSettings(
            target=self.target,
            engines=self.engines,
            cache=self.root / "cache",
            logs=self.root / "logs",
            isolate=partial(isolated),
            check_reproducible=check_reproducible,
            may_be_elsewhere=executor is not None,
        )
        with ThreadPoolExecutor(2) as threads:
            return build_waves(
                self.order(),
                settings,
                sources=self.sources,
                connection=connect(self.root / "cache"),
                executor=executor or threads,
                reporter=SILENT,
            )
