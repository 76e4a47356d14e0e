"""The engine for ``meta.yaml``: conda-build, if that program is on PATH.

It is not on the Python index, and belongs to a conda installation. So it runs with its own Python, which is
beside the program, even to render: see ``inside/conda_build_program.py``.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from cuvee import process
from cuvee.build.engine import BuildFolder
from cuvee.build.meta_files import check_text, output_of_meta, raise_in_text, read_text
from cuvee.build.model import Output, Recipe
from cuvee.build.patched_recipes import write_patches
from cuvee.build.rattler_engine import BUILD_SECONDS, BUILD_SETTINGS, HOST_PATH, MOST_LOG, environment_of
from cuvee.build.recipe_rules import check_output
from cuvee.errors import ToolMissingError
from cuvee.files import parse_json, write_json
from cuvee.platforms import host
from cuvee.process import Request
from cuvee.temporary_folders import temporary_folder

_PROGRAM = Path(__file__).parent / "inside" / "conda_build_program.py"
_RENDER_SECONDS = 300.0
_VERSION = re.compile(r"\d[0-9A-Za-z.+]*")
_HINT = (
    "Install it with `conda install -n base conda-build` and put the folder `bin` of that installation "
    "on PATH, or write the recipe as recipe.yaml."
)


class CondaBuildEngine:
    """Builds ``meta.yaml``, for the platform of this machine: https://docs.conda.io/projects/conda-build."""

    def __init__(self, *, seconds: float = BUILD_SECONDS, path: str | None = None) -> None:
        self._seconds, self._path = seconds, path
        self._rendered: dict[tuple[str, str, str], tuple[Output, ...]] = {}

    @property
    def version(self) -> str:
        """Its name and version, as a part of build keys."""
        python = self._python()
        for metadata in sorted(python.parents[1].glob("lib/python3*/site-packages/conda_build-*.dist-info")):
            return f"conda-build {metadata.name.removesuffix('.dist-info').partition('-')[2]}"
        argv = (str(python.with_name("conda-build")), "--version")
        answer = process.run(Request(argv=argv, environment={"PATH": HOST_PATH}, timeout=_RENDER_SECONDS))
        found = _VERSION.search(answer.stdout)
        if not answer.ok or found is None:
            raise ToolMissingError(f"{argv[0]} does not say its version", hint=_HINT)
        return f"conda-build {found[0]}"

    def check(self) -> None:
        """Raise `ToolMissingError` if it is not on PATH, or has no Python beside it."""
        self._python()

    def _python(self) -> Path:
        program = shutil.which("conda-build", path=self._path)
        if program is None:
            raise ToolMissingError("meta.yaml needs conda-build, which is not on PATH", hint=_HINT)
        for found in (Path(program).absolute(), Path(program).resolve()):
            python = found.with_name("python")
            if os.access(python, os.X_OK):
                return python
        raise ToolMissingError(f"{program} has no Python beside it, with which it could be used", hint=_HINT)

    def read(self, recipe: Recipe) -> None:
        """Raise a `DocumentError` for what can be told without conda-build."""
        check_text(recipe, read_text(recipe))

    def render(self, recipe: Recipe, platform: str, variant: Mapping[str, str]) -> tuple[Output, ...]:
        """Return what a recipe makes on a platform; a `DocumentError` has what is wrong with it."""
        here = host()
        if here is None or here.name != platform:
            return ()
        used = {name: value for name, value in variant.items() if re.fullmatch(r"[A-Za-z_][\w-]*", name)}
        key = (recipe.digest, platform, json.dumps(used, sort_keys=True))
        if key not in self._rendered:
            self._rendered[key] = self._render(recipe, platform, used)
        return self._rendered[key]

    def _render(self, recipe: Recipe, platform: str, variant: Mapping[str, str]) -> tuple[Output, ...]:
        text = read_text(recipe)
        with temporary_folder("conda-build") as path:
            folder = BuildFolder(path=path, channel=path / "channel", sources={}, epoch=0)
            for part in (folder.home, folder.temporary):
                part.mkdir()
            shutil.copytree(recipe.folder, folder.recipe)
            result = path / "rendered.json"
            request = self._request(
                {
                    "task": "render",
                    "folder": str(folder.recipe),
                    "variant": variant,
                    "result": str(result),
                },
                folder,
                seconds=_RENDER_SECONDS,
            )
            answer = process.run(request)
            if not answer.ok:
                raise_in_text(recipe, text, answer.stdout or answer.stderr, folder.recipe)
            found = parse_json(result.read_bytes())
        outputs = tuple(output_of_meta(recipe, document, variant, platform) for document in found)
        check_output(recipe, text.tree, outputs)
        return outputs

    def build_request(self, output: Output, folder: BuildFolder) -> Request:
        """Return the request that builds a package below the folder's ``output``."""
        document = json.loads(output.document)
        sources = [
            {
                "name": source["file_name"],
                "sha256": source["sha256"],
                "file": str(folder.sources[source["sha256"]]),
            }
            for source in document["source"]
            if "sha256" in source
        ]
        return self._request(
            {
                "task": "build",
                "folder": str(folder.recipe),
                "output": str(folder.output),
                "channel": folder.channel.as_uri(),
                "variant": document["variant"],
                "extra": [BUILD_SETTINGS],
                "sources": sources,
                "replaced": _replaced(output),
            },
            folder,
        )

    def test_request(self, output: Output, archive: Path, folder: BuildFolder) -> Request:
        """Return the request that installs a package in a fresh environment and runs its tests."""
        shutil.copytree(output.recipe.folder, folder.recipe)
        write_patches(folder.recipe, output.recipe)
        return self._request(
            {
                "task": "test",
                "folder": str(folder.recipe),
                "channel": folder.channel.as_uri(),
                "variant": json.loads(output.document)["variant"],
                "replaced": _replaced(output),
            },
            folder,
        )

    def _request(
        self, task: Mapping[str, object], folder: BuildFolder, *, seconds: float | None = None
    ) -> Request:
        path = folder.path / f"{task['task']}.json"
        write_json(path, {**task, "work": str(folder.path / "conda")})
        python = self._python()
        home = folder.path / "conda-home"
        home.mkdir(exist_ok=True)
        environment = {
            **environment_of(folder),
            "HOME": str(home),  # conda writes into it; that of builds is set by their environments
            "PATH": f"{python.parent}:{HOST_PATH}",
            "CONDA_ADD_PIP_AS_PYTHON_DEPENDENCY": "false",
            "CONDA_PKGS_DIRS": str(folder.path / "packages"),
            "CONDA_ENVS_DIRS": str(folder.path / "environments"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return Request(
            argv=(str(python), "-I", str(_PROGRAM), str(path)),
            cwd=folder.path,
            environment=environment,
            timeout=seconds or self._seconds,
            most_output=MOST_LOG,
        )


def _replaced(output: Output) -> dict[str, object]:
    """Return the sections of a recipe that are others with the patches of the manifest."""
    document = json.loads(output.document)
    if output.recipe.patches is None:
        return {}
    sources = [{**source["stated"], "patches": source["patches"]} for source in document["source"]]
    return {"build": document["build"], "source": sources}
