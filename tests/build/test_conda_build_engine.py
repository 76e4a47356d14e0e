"""The engine for meta.yaml, without conda-build: what it asks the program, and what it makes of answers.

``recorded_conda_build.json`` is what conda-build 26.7.1 has rendered.
"""

import datetime as dt
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cuvee import process
from cuvee.build.conda_build_engine import CondaBuildEngine
from cuvee.build.engine import BuildFolder
from cuvee.build.meta_files import check_text, read_text
from cuvee.build.model import Output, Recipe
from cuvee.build.patched_recipes import patched_outputs
from cuvee.build.recipe_files import find_recipe
from cuvee.build.recipes import engines, read_recipes
from cuvee.channel.patches.patch_files import PatchFile, PatchSet
from cuvee.errors import DocumentError, ToolMissingError
from cuvee.manifest.model import PatchedPackage, Position
from cuvee.platforms import host
from cuvee.process import Completed, Request

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="nothing is built on Windows yet")

_HERE = host()
HERE = _HERE.name if _HERE is not None else "linux-64"
RECORDED = Path(__file__).with_name("recorded_conda_build.json")
SHA256 = "17d6b24fe4846c65d5e7d8c362dcb08199dc63b30a236aedd73875cc83e1f6c0"
META = f"""\
{{% set version = "2.0.1.5" %}}
package:
  name: pyerfa
  version: {{{{ version }}}}
source:
  url: https://example.org/pyerfa-{{{{ version }}}}.tar.gz
  sha256: {SHA256}
test:
  imports:
    - erfa
"""
PATCH = b"--- a/erfa/text\n+++ b/erfa/text\n@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n"
Change = Callable[[dict[str, Any]], object]


def recipe_in(folder: Path, text: str = META) -> Recipe:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.yaml").write_text(text, encoding="utf-8")
    return find_recipe(folder)


class Installed:
    """A folder ``bin`` like conda-build's; what its programs are asked gets what was recorded."""

    def __init__(self, root: Path) -> None:
        self.bin = root / "conda with a blank" / "bin"
        self.bin.mkdir(parents=True)
        for name in ("conda-build", "python"):
            (self.bin / name).touch(0o755)
        metadata = self.bin.parent / "lib" / "python3.11" / "site-packages" / "conda_build-26.7.1.dist-info"
        metadata.mkdir(parents=True)
        self.asked: list[dict[str, Any]] = []
        self.said, self.fails = "", False
        self.rendered = RECORDED.read_text(encoding="utf-8")

    def run(self, request: Request) -> Completed:
        if request.argv[-1] != "--version":
            task = json.loads(Path(request.argv[-1]).read_bytes())
            self.asked.append(task)
            Path(task["result"]).write_text(self.rendered, encoding="utf-8")
        return Completed(
            request=request,
            exit_code=1 if self.fails else 0,
            stdout=self.said,
            stderr="",
            seconds=0.0,
        )

    def changed(self, change: Change) -> None:
        found = json.loads(self.rendered)
        change(found[0])
        self.rendered = json.dumps(found)

    @property
    def engine(self) -> CondaBuildEngine:
        return CondaBuildEngine(path=str(self.bin))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    found = Installed(tmp_path)
    monkeypatch.setattr(process, "run", found.run)
    return found


def rendered(installed: Installed, recipe: Recipe) -> Output:
    (output,) = installed.engine.render(recipe, HERE, {"python": "3.11.9", "numpy": "2.1.1", "font.x": "1"})
    return output


def test_both_kinds_of_recipes_have_an_engine() -> None:
    assert set(engines()) == {"rattler-build", "conda-build"}


def test_a_missing_conda_build_is_said_before_any_recipe_is_read(tmp_path: Path) -> None:
    recipe_in(tmp_path / "pyerfa", "requirements: [no recipe]\n")
    with pytest.raises(ToolMissingError) as caught:
        read_recipes([tmp_path / "pyerfa"], {"conda-build": CondaBuildEngine(path=str(tmp_path))})
    assert caught.value.message.startswith("meta.yaml needs conda-build, which is not on PATH: ")
    assert str(tmp_path / "pyerfa" / "meta.yaml") in caught.value.message
    assert "conda install -n base conda-build" in (caught.value.hint or "")


def test_a_program_without_its_python_is_refused(installed: Installed) -> None:
    (installed.bin / "python").unlink()
    with pytest.raises(ToolMissingError, match="no Python beside it"):
        installed.engine.check()


def test_a_link_to_the_program_finds_its_python(installed: Installed, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / "conda-build").symlink_to(installed.bin / "conda-build")
    CondaBuildEngine(path=str(links)).check()


def test_the_version_is_read_without_a_start(installed: Installed) -> None:
    assert installed.engine.version == "conda-build 26.7.1"


def test_the_version_is_asked_for_where_it_cannot_be_read(installed: Installed) -> None:
    (metadata,) = installed.bin.parent.glob("lib/python3*/site-packages/*")
    metadata.rmdir()
    installed.said = "conda-build 25.1.0\n"
    assert installed.engine.version == "conda-build 25.1.0"
    installed.fails = True
    with pytest.raises(ToolMissingError, match="does not say its version"):
        _ = installed.engine.version


def test_what_conda_build_renders_becomes_an_output(installed: Installed, tmp_path: Path) -> None:
    output = rendered(installed, recipe_in(tmp_path / "pyerfa"))
    assert output.identifier == f"pyerfa-2.0.1.5-py311hdc5b14d_3@{HERE}"
    assert output.variant["numpy"] == "2.1.1"
    assert output.build_specs == ("gcc_linux-64",)
    assert output.host_specs == ("python 3.11.9.*", "numpy 2.1.1.*", "liberfa 2.0.*")
    assert output.run_specs == ("python", "numpy", "liberfa >=2.0.1,<3")
    assert output.test_specs == ("pytest", "python")
    assert [(item.urls, item.sha256, item.file_name) for item in output.sources] == [
        (("https://example.org/pyerfa-2.0.1.5.tar.gz",), SHA256, "pyerfa-2.0.1.5.tar.gz")
    ]
    assert output.tests == 2


def test_the_release_s_versions_are_the_variant(installed: Installed, tmp_path: Path) -> None:
    rendered(installed, recipe_in(tmp_path / "pyerfa"))
    (asked,) = installed.asked
    assert asked["variant"] == {"numpy": "2.1.1", "python": "3.11.9"}, "no name that Jinja cannot have"
    assert not Path(asked["folder"]).exists(), "it was rendered in a temporary copy"


def test_noarch_and_other_platforms(installed: Installed, tmp_path: Path) -> None:
    recipe = recipe_in(tmp_path / "pyerfa")
    installed.changed(lambda item: item.update(noarch="python"))
    assert rendered(installed, recipe).subdir == "noarch"
    assert installed.engine.render(recipe, "osx-64", {}) == ()


def test_a_recipe_is_rendered_once_per_variant(installed: Installed, tmp_path: Path) -> None:
    engine, recipe = installed.engine, recipe_in(tmp_path / "pyerfa")
    first = engine.render(recipe, HERE, {"python": "3.11.9"})
    assert engine.render(recipe, HERE, {"python": "3.11.9"}) == first
    assert len(installed.asked) == 1
    engine.render(recipe, HERE, {"python": "3.12.1"})
    assert len(installed.asked) == 2


@pytest.mark.parametrize(
    ("change", "message", "line"),
    [
        (lambda item: item["sources"][0].pop("sha256"), "this source has no SHA-256", 5),
        (lambda item: item.update(sources=[{"git_url": "x"}]), "a source in git has no SHA-256", 5),
        (lambda item: item.update(sources=[{"path": "../x"}]), "outside of the recipe's folder", 5),
        (lambda item: item["tests"].update(imports=0, commands=0), "pyerfa has no tests", 3),
    ],
)
def test_what_no_recipe_may_do_is_refused_with_its_line(
    installed: Installed, tmp_path: Path, change: Change, message: str, line: int
) -> None:
    installed.changed(change)
    recipe = recipe_in(tmp_path / "pyerfa")
    with pytest.raises(DocumentError) as caught:
        rendered(installed, recipe)
    assert message in caught.value.message
    assert f"{recipe.file}:{line}:" in caught.value.message


def test_a_version_that_jinja_does_not_know_is_refused(installed: Installed, tmp_path: Path) -> None:
    installed.changed(lambda item: item.update(version="None"))
    with pytest.raises(DocumentError, match="has no version once conda-build has read it"):
        rendered(installed, recipe_in(tmp_path / "pyerfa"))


def test_what_conda_build_says_of_a_recipe_has_its_line(installed: Installed, tmp_path: Path) -> None:
    installed.fails = True
    installed.said = (
        "Adding in variants from internal_defaults\n\n"
        "TemplateSyntaxError: unexpected '}', expected ')' (line 4)\n"
    )
    recipe = recipe_in(tmp_path / "pyerfa")
    with pytest.raises(DocumentError) as caught:
        rendered(installed, recipe)
    assert f"{recipe.file}:4:" in caught.value.message
    assert "unexpected '}', expected ')'" in caught.value.message
    assert "Adding in variants" not in caught.value.message


def test_what_conda_build_would_misread_is_told_with_all_lines(tmp_path: Path) -> None:
    text = (
        "{% set data = load_setup_py_data() %}\n"
        "requirements:\n"
        "  host: [python, pip]\n"
        "  run:\n"
        "    - python  # [linux]\n"
        "about:\n"
        "  summary: a list [in words] is text\n"
        "outputs:\n"
    )
    recipe = recipe_in(tmp_path / "pyerfa", text)
    with pytest.raises(DocumentError) as caught:
        check_text(recipe, read_text(recipe))
    message = caught.value.message
    assert "load_setup_py_data runs setup.py while the recipe is read" in message
    assert "conda-build takes a list at the end of a line for a selector" in message
    assert "several outputs in meta.yaml are not supported" in message
    assert [f"{recipe.file}:{line}:" in message for line in range(1, 9)] == [
        *(True, False, True, False, False, False, False, True)
    ]


@pytest.mark.parametrize("name", ["recipe_append.yaml", "recipe_clobber.yaml"])
def test_a_file_that_changes_the_recipe_is_refused(tmp_path: Path, name: str) -> None:
    recipe = recipe_in(tmp_path / "pyerfa")
    (recipe.folder / name).write_text("build: {number: 7}\n")
    with pytest.raises(DocumentError, match=f"{name} beside it changes what it says"):
        CondaBuildEngine().read(recipe)


def test_a_patched_recipe_is_another_in_all_that_conda_build_does(
    installed: Installed, tmp_path: Path
) -> None:
    installed.changed(lambda item: item["sources"][0].update(patches="own.patch", folder="x"))
    stated = PatchedPackage(
        name="pyerfa",
        recipe="pyerfa",
        patches=("patches/one.patch",),
        fixes=("CVE-2026-12345",),
        why="it is wrong",
        author="Ada",
        until=dt.date(2027, 5, 31),
        position=Position(file=Path("m.yaml"), line=9, column=3),
    )
    patch = PatchFile(name="patches/one.patch", data=PATCH)
    plain = rendered(installed, recipe_in(tmp_path / "pyerfa"))
    (output,) = patched_outputs([plain], PatchSet(package=stated, patches=(patch,)))
    assert output.build == "py311hdc5b14d_patched_10003"
    folder = BuildFolder(path=tmp_path, channel=tmp_path / "channel", sources={SHA256: tmp_path}, epoch=0)
    installed.engine.build_request(output, folder)
    installed.engine.test_request(output, tmp_path / "x.conda", folder)
    for name in ("build.json", "test.json"):
        assert json.loads((tmp_path / name).read_bytes())["replaced"] == {
            "build": {"number": 10_003, "string": "py311hdc5b14d_patched_10003"},
            "source": [
                {
                    "folder": "x",
                    "patches": ["own.patch", "cuvee-patched/patches/one.patch"],
                    "sha256": SHA256,
                    "url": "https://example.org/pyerfa-2.0.1.5.tar.gz",
                }
            ],
        }
    written = folder.recipe / "cuvee-patched" / "patches" / "one.patch"
    assert written.read_bytes() == (
        b"--- erfa/text\t\n+++ erfa/text\t\n@@ -1,2 +1,2 @@\n-one\n-two\n+one\n+zwei\n--- end\n"
    )
    installed.engine.build_request(plain, folder)
    assert json.loads((tmp_path / "build.json").read_bytes())["replaced"] == {}


def test_a_recipe_that_is_no_text_is_refused(tmp_path: Path) -> None:
    recipe = recipe_in(tmp_path / "pyerfa")
    recipe.file.write_bytes(b"package:\n  name: \xff\n")
    with pytest.raises(DocumentError, match="is not UTF-8: byte 17"):
        CondaBuildEngine().read(recipe)


def test_requests_have_nothing_of_the_machine(
    installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_CHANNELS", "somewhere")
    monkeypatch.setenv("SECRET", "x")
    output = rendered(installed, recipe_in(tmp_path / "pyerfa"))
    path = tmp_path / "build"
    path.mkdir()
    source = tmp_path / "kept.tar.gz"
    folder = BuildFolder(path=path, channel=path / "channel", sources={SHA256: source}, epoch=0)
    build = installed.engine.build_request(output, folder)
    assert build.argv[:2] == (str(installed.bin / "python"), "-I")
    assert build.environment is not None
    assert not {"CONDA_CHANNELS", "SECRET"} & set(build.environment)
    assert build.environment["HOME"] == str(path / "conda-home"), "conda writes into it"
    task = json.loads((path / "build.json").read_bytes())
    assert task["channel"] == (path / "channel").as_uri()
    assert task["extra"] == ["cuvee-build-settings"]
    assert task["sources"] == [{"name": "pyerfa-2.0.1.5.tar.gz", "sha256": SHA256, "file": str(source)}]
    installed.engine.test_request(output, tmp_path / "x.conda", folder)
    task = json.loads((path / "test.json").read_bytes())
    assert (task["task"], task["variant"]) == ("test", {"numpy": "2.1.1", "python": "3.11.9"})
    assert Path(task["folder"], "meta.yaml").is_file()
