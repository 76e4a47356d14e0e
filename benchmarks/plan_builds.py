"""Measure planning the builds of many recipes: when none was built, when all were, and when one has changed.

    python benchmarks/plan_builds.py --recipes 300

The recipes are in ten waves, and each needs two of the wave before it. Nothing is built: the cache gets
packages as if it had been. Environments are solved by rattler, as they are for a release. The reference is
rendering only.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from measuring import processor_seconds

from cuvee.build.build_order import BuildOrder, in_order
from cuvee.build.build_plan import BuildPlan, BuiltChannel, Planner
from cuvee.build.kept_builds import BuildCache, key_of
from cuvee.build.model import BuiltPackage, Output
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.build.recipe_files import find_recipe
from cuvee.channel.connection import connect
from cuvee.channel.package_writer import PackageContent, write_package
from cuvee.channel.repodata_writer import index_channel
from cuvee.conda.package_record import LockedPackage
from cuvee.files import sha256_file
from cuvee.lock.build_environment import EnvironmentProblem, solve_environment
from cuvee.manifest.model import PlatformEntry

Answer = TypeVar("Answer")
PLATFORM = "linux-64"
RECIPE = """\
package:
  name: {name}
  version: "1.0"
build:
  noarch: generic
  script: "true"
requirements:
  host: [{needs}]
  run: [{needs}]
tests:
  - script: "true"
about:
  license: MIT
"""


class Environments:
    """Environments from a channel that has nothing but what was built."""

    def __init__(self, folder: Path) -> None:
        index_channel(folder / "empty", [PLATFORM])
        self._empty = folder / "empty"
        self._connection = connect(folder / "cache")
        self._platform = PlatformEntry(name=PLATFORM, floor={"glibc": "2.28"})

    def carried(self, platform: str) -> frozenset[str]:
        """Return nothing."""
        return frozenset()

    def state(self) -> str:
        """Return what never changes: the channel is empty."""
        return "empty"

    def resolve(
        self, specs: Sequence[str], platform: str, *, purpose: str, built: Path | None
    ) -> tuple[LockedPackage, ...]:
        """Solve."""
        channels = (*(() if built is None else (str(built),)), str(self._empty))
        problem = EnvironmentProblem(
            platform=self._platform,
            specs=tuple(specs),
            constraints=(),
            channels=channels,
            own_channel=self._empty,
        )
        answer = solve_environment(problem, self._connection)
        if isinstance(answer, str):
            raise SystemExit(answer)
        return answer

    def archives(self, packages: Iterable[LockedPackage]) -> Mapping[str, Path]:
        """Return nothing: only plans are made here."""
        return {}


def measure(title: str, work: Callable[[], Answer]) -> Answer:
    """Run something, print how long it took, and return its result."""
    wall, cpu = time.monotonic(), processor_seconds()
    answer = work()
    print(f"{title:20} {time.monotonic() - wall:6.2f} s  cpu {processor_seconds() - cpu:6.2f} s")
    return answer


def write_recipes(folder: Path, count: int) -> list[Path]:
    """Write recipes in ten waves."""
    width = max(1, count // 10)
    for number in range(count):
        above = number - width
        needs = (
            [f"p{above:04}", f"p{above - 1 if above % width else above + width - 1:04}"] if above >= 0 else []
        )
        path = folder / f"p{number:04}"
        path.mkdir(parents=True)
        text = RECIPE.format(name=path.name, needs=", ".join(dict.fromkeys(needs)))
        (path / "recipe.yaml").write_text(text, encoding="utf-8")
    return sorted(folder.iterdir())


class Run:
    """Recipes, and a cache of what they make."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folders = write_recipes(folder / "recipes", count)
        self.engine = RattlerEngine()
        self.cache = BuildCache(folder / "cache")
        self.folder = folder
        self.settled = True

    def outputs(self) -> list[Output]:
        """Read and render the recipes."""
        recipes = map(find_recipe, self.folders)
        return [output for recipe in recipes for output in self.engine.render(recipe, PLATFORM, {})]

    def planner(self, order: BuildOrder) -> Planner:
        """Return what plans."""
        return Planner(
            order,
            platform=PLATFORM,
            engines={"rattler-build": self.engine},
            source=Environments(self.folder),
            cache=self.cache,
        )

    def plan(self) -> BuildPlan:
        """Plan from the files."""
        return self.planner(in_order(self.outputs(), ())).plan()

    def pretend(self, *, settled: bool) -> None:
        """Put a package of each recipe into the cache, as if it had been built.

        Unless its environments are ``settled``, they are solved again for each plan.
        """
        self.settled = settled
        order = in_order(self.outputs(), ())
        planner = self.planner(order)
        before: list[BuiltPackage] = []
        for wave in order.waves:
            with BuiltChannel(tuple(before), self.cache, PLATFORM) as built:
                before += [self._made(planner, output, built) for output in wave]

    def _made(self, planner: Planner, output: Output, built: BuiltChannel) -> BuiltPackage:
        parts, _ = planner.parts(output, built)
        content = PackageContent(
            name=output.name,
            version=output.version,
            build=output.build,
            subdir=output.subdir,
            depends=output.run_specs,
            noarch="generic",
            timestamp=0,
            files=(),
        )
        archive = write_package(content, self.folder / "made")
        package = BuiltPackage(
            recipe=output.name,
            name=output.name,
            version=output.version,
            build=output.build,
            subdir=output.subdir,
            file_name=archive.name,
            sha256=sha256_file(archive),
            key=key_of(parts),
        )
        self.cache.keep(archive, "", package, parts, planner.questions.of(output) if self.settled else "")
        return package


def main() -> int:
    """Run the benchmark, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--recipes", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cuvee-benchmark-") as name:
        run = Run(Path(name), options.recipes)
        run.outputs()  # imports
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {options.recipes} recipes")
        measure("rendering only", run.outputs)
        measure("plan, none built", run.plan)
        run.pretend(settled=False)
        measure("plan, all solved", run.plan)
        run.pretend(settled=True)
        measure("plan, all built", run.plan)
        for title, place in (("plan, a leaf changed", -1), ("plan, half-way", options.recipes // 2)):
            file = run.folders[place] / "recipe.yaml"
            file.write_text(f"{file.read_text(encoding='utf-8')}# changed\n", encoding="utf-8")
            plan = measure(title, run.plan)
            print(f"{'':20} {len(plan.to_build)} to build")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
