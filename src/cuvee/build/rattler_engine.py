"""The embedded engine: rattler-build, from the package py-rattler-build of the Python index.

Rendering happens in this process: it runs nothing of the recipe. Building and testing run in a process of
their own, which is isolated: see ``inside/engine_program.py``.
"""

import json
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cuvee.build.engine import BuildFolder
from cuvee.build.model import Output, Recipe
from cuvee.build.recipe_files import raise_at, read_tree
from cuvee.build.recipe_rules import check_output
from cuvee.build.rendered_recipe import as_written, output_of, skip_probe, with_siblings
from cuvee.errors import ToolMissingError
from cuvee.files import write_json
from cuvee.platforms import host
from cuvee.process import Request
from cuvee.temporary_folders import temporary_folder

HOST_PATH = "/usr/local/bin:/usr/bin:/bin"
"""Where builds find the programs of this machine."""

BUILD_SECONDS = 3600.0
"""After which a build, or the tests of a package, are ended."""

MOST_LOG = 16 << 20
"""Bytes of a log that are kept: its beginning and its end."""

_PROGRAM = Path(__file__).parent / "inside" / "engine_program.py"
BUILD_SETTINGS = "cuvee-build-settings"
"""The package of build environments whose activation sets what makes builds reproducible."""

_COMPILERS = {"c_compiler": ["gcc"], "cxx_compiler": ["gxx"], "fortran_compiler": ["gfortran"]}
_HINT = "Install it with `pip install 'cuvee[build]'`, or `pip install py-rattler-build`."


def environment_of(folder: BuildFolder) -> dict[str, str]:
    """Return the variables that engines are started with, and nothing else of this process."""
    return {
        "PATH": HOST_PATH,
        "HOME": str(folder.home),
        "TMPDIR": str(folder.temporary),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }


class RattlerEngine:
    """Builds ``recipe.yaml``: CEP 13 and CEP 14, https://github.com/conda/ceps."""

    def __init__(self, *, seconds: float = BUILD_SECONDS) -> None:
        self._seconds = seconds

    @property
    def version(self) -> str:
        """Its name and version, as a part of build keys."""
        from importlib.metadata import version

        return f"rattler-build {version('py-rattler-build')}"

    def check(self) -> None:
        """Raise `ToolMissingError` if it is not installed."""
        if find_spec("rattler_build") is None:
            raise ToolMissingError(
                "Recipes and patched wheels need py-rattler-build, which is not installed", hint=_HINT
            )

    def read(self, recipe: Recipe) -> None:
        """Raise a `DocumentError` for what is wrong with a recipe on any platform and in any variant."""
        from rattler_build import Stage0Recipe

        tree = read_tree(recipe)
        try:
            Stage0Recipe.from_file(recipe.file)
        except Exception as error:  # noqa: BLE001 - its classes have no common base that is public
            raise_at(recipe, tree, str(error))

    def render(self, recipe: Recipe, platform: str, variant: Mapping[str, str]) -> tuple[Output, ...]:
        """Return what a recipe makes on a platform; a `DocumentError` has what is wrong with it."""
        from rattler_build import PlatformConfig, RenderConfig, Stage0Recipe, VariantConfig

        tree = read_tree(recipe)
        system = platform.partition("-")[0]
        values: dict[str, list[Any]] = {name: [value] for name, value in variant.items()}
        machine = host()
        config = VariantConfig({**(_COMPILERS if system in {"linux", "win"} else {}), **values})
        platforms = PlatformConfig(
            target_platform=platform,
            build_platform=machine.name if machine is not None else platform,
            host_platform=platform,
        )
        try:
            settings = RenderConfig(platform=platforms)
            stated = Stage0Recipe.from_file(recipe.file)
            probe = skip_probe(stated.to_dict())
            if probe is not None:
                # What is skipped is rendered all the same, and does not say that it is to be skipped.
                with temporary_folder("probe") as folder:
                    (asked,) = Stage0Recipe.from_dict(probe, recipe_dir=folder).render(config, settings)
                    if asked.recipe.requirements.host:
                        return ()
            rendered = stated.render(config, settings)
            found = [(item.recipe.to_dict(), dict(item.variant)) for item in rendered]
        except Exception as error:
            raise_at(recipe, tree, str(error))
            raise
        outputs = tuple(output_of(recipe, document, used, platform) for document, used in found)
        outputs = tuple(with_siblings(output, outputs) for output in outputs)
        check_output(recipe, tree, outputs)
        return outputs

    def build_request(self, output: Output, folder: BuildFolder) -> Request:
        """Return the request that builds a package below the folder's ``output``."""
        document = json.loads(output.document)
        for source in document.get("source", ()):
            if source.get("sha256"):
                source["url"] = folder.sources[source["sha256"]].as_uri()
        requirements = document.setdefault("requirements", {})
        for kind, items in requirements.items():
            if isinstance(items, list):
                requirements[kind] = [as_written(item) for item in items]
        requirements["build"] = [*requirements.get("build", ()), BUILD_SETTINGS]
        return self._request(
            {
                "task": "build",
                "recipe": document,
                "folder": str(folder.recipe),
                "output": str(folder.output),
                "channel": folder.channel.as_uri(),
                "platforms": _platforms(output),
            },
            folder,
        )

    def test_request(self, output: Output, archive: Path, folder: BuildFolder) -> Request:
        """Return the request that installs a package in a fresh environment and runs its tests."""
        return self.archive_request(archive, folder)

    def archive_request(self, archive: Path, folder: BuildFolder) -> Request:
        """Return the request for the tests that an archive carries, whatever it was made of."""
        task = {"task": "test", "archive": str(archive), "channel": folder.channel.as_uri()}
        return self._request(task, folder)

    def _request(self, task: Mapping[str, object], folder: BuildFolder) -> Request:
        path = folder.path / f"{task['task']}.json"
        write_json(path, task)
        environment = {
            **environment_of(folder),
            "RATTLER_CACHE_DIR": str(folder.path / "packages"),
            "NO_COLOR": "1",
        }
        return Request(
            argv=(sys.executable, "-I", str(_PROGRAM), str(path)),
            cwd=folder.path,
            environment=environment,
            timeout=self._seconds,
            most_output=MOST_LOG,
        )


def _platforms(output: Output) -> list[str]:
    """Return the platform of this machine and that of a package, if they differ."""
    machine = host()
    here = machine.name if machine is not None else output.subdir
    return [] if output.subdir in {"noarch", here} else [here, output.subdir]
