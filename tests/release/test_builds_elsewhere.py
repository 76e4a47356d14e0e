"""What another machine has built: taken if it is what the recipes make here, and refused otherwise."""

import datetime as dt
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from build_recipes import HOST, simple, write_recipe
from cuvee import process
from cuvee.build.build_plan import BuildAction
from cuvee.build.kept_builds import BuildCache
from cuvee.build.model import BuiltFrom, BuiltPackage, Output
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.build.recipe_files import find_recipe
from cuvee.channel.package_writer import PackageContent, write_package
from cuvee.channel.patches.patch_files import PatchFile, PatchSet
from cuvee.channel.repodata_writer import index_channel
from cuvee.cli.main import run
from cuvee.codec import encode
from cuvee.errors import CuveeError, IntegrityError, SourceUnreachableError, UsageError
from cuvee.files import sha256_file, write_json
from cuvee.graph.checks.check_interface import Status
from cuvee.manifest import load_manifest
from cuvee.manifest.model import Manifest, PatchedPackage
from cuvee.process import Request
from cuvee.release.build_stage import plan_builds
from cuvee.release.builds_elsewhere import BuildsElsewhere, read_builds_elsewhere
from cuvee.release.pipeline import check_release
from cuvee.release.record import BuildResult, ChannelResult, Release
from cuvee.release.session import Options, Session
from in_toto_statements import read_provenance, stated_provenance
from needed_programs import HANGING, needs
from tiny_distribution import NOW, Recorder

pytest.importorskip("rattler_build", reason="needs py-rattler-build")

COMPILED = (
    simple("app")
    .replace("  noarch: generic\n", "")
    .replace("  host: []", "  build: ['${{ compiler(\"c\") }}']")
)
OTHER = "osx-arm64"


def rendered(root: Path, text: str = COMPILED, platform: str = OTHER) -> Output:
    (output,) = RattlerEngine().render(
        find_recipe(write_recipe(root / "recipes" / "app", text)), platform, {}
    )
    return output


def built_there(folder: Path, output: Output, **changes: Any) -> Path:
    """Write what a machine leaves that has built an output; ``changes`` are of what it says."""
    content = PackageContent(
        name=output.name,
        version=output.version,
        build=output.build,
        subdir=output.subdir,
        depends=(),
        timestamp=0,
        files=(),
    )
    archive = write_package(content, folder / "channel" / output.subdir)
    package = BuiltPackage(
        recipe=output.recipe.name,
        name=output.name,
        version=output.version,
        build=output.build,
        subdir=output.subdir,
        file_name=archive.name,
        sha256=sha256_file(archive),
        key="c" * 64,
    )
    log = folder / "builds" / package.log
    log.parent.mkdir(exist_ok=True)
    log.write_text("=== built there ===\n", encoding="utf-8")
    source = BuiltFrom(sha256=package.sha256, recipe="app", recipe_sha256=output.recipe.digest)
    answer = BuildResult(packages=(package,), made_from=(source,), machine=OTHER)
    write_json(folder / "build.json", encode(replace(answer, **changes)))
    return folder


def manifest(*platforms: str) -> Manifest:
    entries = tuple(SimpleNamespace(name=name) for name in (HOST, *(platforms or (OTHER,))))
    return cast(
        "Manifest", SimpleNamespace(present_platforms=entries, recipes=("app",), release_name="lab-2026.11.0")
    )


def read(*folders: Path) -> BuildsElsewhere:
    return read_builds_elsewhere(folders, manifest())[OTHER]


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return rendered(tmp_path)


@pytest.fixture
def folder(tmp_path: Path, output: Output) -> Path:
    (tmp_path / "there").mkdir()
    return built_there(tmp_path / "there", output)


def changed(folder: Path, change: Callable[[Any], None]) -> Path:
    path = folder / "build.json"
    answer = json.loads(path.read_text(encoding="utf-8"))
    change(answer)
    path.write_text(json.dumps(answer), encoding="utf-8")
    return folder


def test_what_the_recipe_makes_is_taken_with_its_log(folder: Path, output: Output, tmp_path: Path) -> None:
    taken = read(folder).taken(output)
    assert (taken.package.stem, taken.package.subdir, taken.package.built_on) == (output.stem, OTHER, OTHER)
    taken.put(tmp_path / "here" / "app.conda", tmp_path / "here" / "app.log")
    assert sha256_file(tmp_path / "here" / "app.conda") == taken.package.sha256
    assert "built there" in (tmp_path / "here" / "app.log").read_text(encoding="utf-8")


def test_an_answer_that_is_not_isolated_or_not_tested_says_so(folder: Path, output: Output) -> None:
    def change(answer: Any) -> None:
        answer["isolated"] = False
        answer["packages"][0]["not_tested"] = "no \x1b[2J display"

    taken = read(changed(folder, change)).taken(output)
    assert not taken.isolated
    assert taken.package.not_tested.startswith("no ")
    assert "\x1b" not in taken.package.not_tested


def test_one_flipped_bit_is_refused(folder: Path, output: Output, tmp_path: Path) -> None:
    (archive,) = folder.glob("channel/*/*.conda")
    taken = read(folder).taken(output)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)
    with pytest.raises(IntegrityError, match="its SHA-256 is not that of") as caught:
        read(folder).taken(output)
    assert caught.value.exit_code == 5
    with pytest.raises(IntegrityError, match="is not the package"):
        taken.put(tmp_path / "here" / "app.conda", tmp_path / "here" / "app.log")
    assert not [path for path in (tmp_path / "here").rglob("*") if path.is_file()]


def test_a_package_of_another_recipe_is_refused(folder: Path, output: Output, tmp_path: Path) -> None:
    other = rendered(tmp_path / "other", COMPILED.replace("license: MIT", "license: ISC"))
    assert other.stem == output.stem, "only the recipe's digest tells them apart"
    with pytest.raises(UsageError, match=r"from another recipe than .*recipe\.yaml") as caught:
        read(folder).taken(other)
    assert caught.value.exit_code == 2
    newer = rendered(tmp_path / "newer", COMPILED.replace('"1.0"', '"2.0"'))
    with pytest.raises(UsageError, match=r"has app-1\.0-\w+ for osx-arm64, and the recipe makes app-2\.0-"):
        read(folder).taken(newer)


def test_a_package_that_does_not_say_its_recipe_is_refused(folder: Path, output: Output) -> None:
    def change(answer: Any) -> None:
        answer["made_from"] = []

    with pytest.raises(UsageError, match="from another recipe"):
        read(changed(folder, change)).taken(output)


def test_a_package_without_the_patches_of_the_manifest_is_refused(folder: Path, output: Output) -> None:
    package = cast("PatchedPackage", SimpleNamespace(
        name="app", wheel=None, sha256=None, fixes=(), why="", author="", upstream_fixed_in=None, revision=1
    ))  # fmt: skip
    patches = PatchSet(package=package, patches=(PatchFile(name="a.patch", data=b"x"),))
    patched = replace(output, recipe=replace(output.recipe, patches=patches))
    with pytest.raises(UsageError, match="has other patches than the manifest states"):
        read(folder).taken(patched)


def test_an_archive_that_is_another_package_is_refused(folder: Path, output: Output) -> None:
    liar = replace(output, subdir="osx-64")
    built_there(folder.parent / "liar", liar)
    (archive,) = folder.glob("channel/*/*.conda")
    shutil.copy(next((folder.parent / "liar").glob("channel/*/*.conda")), archive)

    def change(answer: Any) -> None:
        for item in (*answer["packages"], *answer["made_from"]):
            item["sha256"] = sha256_file(archive)

    with pytest.raises(IntegrityError, match=r"is app 1\.0 \w+ for osx-64"):
        read(changed(folder, change)).taken(output)


@pytest.mark.parametrize("pattern", ["channel/*/*.conda", "builds/*.log", "build.json"])
def test_a_file_that_is_not_there_is_named(folder: Path, output: Output, pattern: str) -> None:
    (path,) = folder.glob(pattern)
    path.unlink()
    with pytest.raises(SourceUnreachableError, match=f"There is no .*{path.suffix}") as caught:
        read(folder).taken(output)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("pattern", ["channel/*/*.conda", "builds/*.log", "builds"])
def test_a_link_out_of_the_folder_is_refused(folder: Path, output: Output, pattern: str) -> None:
    (path,) = folder.glob(pattern)
    path.rename(folder.parent / path.name)
    path.symlink_to(folder.parent / path.name)
    with pytest.raises(IntegrityError, match="is a link to a file outside of"):
        read(folder).taken(output)


def of_package(**values: Any) -> Callable[[Any], None]:
    return lambda answer: answer["packages"][0].update(values)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            of_package(subdir="osx-64"),
            UsageError,
            "has packages for osx-64, and lab-2026.11.0 has no recipes",
        ),
        (of_package(subdir="../../etc"), UsageError, "has packages for ../../etc, and"),
        (
            of_package(subdir="noarch"),
            UsageError,
            "no package for another platform than that of this machine",
        ),
        (of_package(subdir=HOST), UsageError, "no package for another platform than that of this machine"),
        (lambda answer: answer["packages"].clear(), UsageError, "no package for another platform"),
        (of_package(sha256="A" * 64), IntegrityError, "does not say on which platform"),
        (of_package(key="../x"), IntegrityError, "does not say on which platform"),
        (lambda answer: answer.update(machine="a\nb"), IntegrityError, "does not say on which platform"),
        (lambda answer: answer.update(more=1), IntegrityError, "cannot be read"),
    ],
)
def test_an_answer_that_is_of_no_use_is_refused(
    folder: Path, change: Callable[[Any], None], error: type[CuveeError], message: str
) -> None:
    with pytest.raises(error, match=message.replace(".", r"\.")):
        read(changed(folder, change))


def test_two_folders_with_one_platform_are_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "again")
    with pytest.raises(UsageError, match="both have packages for osx-arm64"):
        read(folder, tmp_path / "again")


def test_a_package_that_the_folder_does_not_have_is_named(folder: Path, output: Output) -> None:
    with pytest.raises(UsageError, match="has no other for osx-arm64"):
        read(folder).taken(replace(output, name="other"))


MANIFEST = """\
manifest: 1
distribution: lab
version: "2026.11.0"
title: Lab
platforms:
  linux-64: {floor: {glibc: "2.40"}}
  win-64: {floor: {win: "10"}}
channels: [%s]
owners:
  core: {contact: core@example.org}
packages:
  app: {version: "*", owner: core, platforms: [win-64]}
  pure: {version: "*", owner: core}
recipes: [app, pure]
installers: {formats: {linux: [sh], win: [exe]}}
"""
WRITES = "mkdir -p $PREFIX/share && echo app > $PREFIX/share/app"
SCRIPT = "mkdir -p $PREFIX/Library/bin && $CC -o $PREFIX/Library/bin/app.exe main.c"


class Machines:
    """A repository with recipes, and machines that each have a checkout, a cache and a release folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.repository = root, root / "repository"
        index_channel(root / "channel", ["linux-64", "win-64"])
        self.manifest = Path("manifests", "lab", "2026.11.0.yaml")
        (self.repository / self.manifest).parent.mkdir(parents=True)
        (self.repository / self.manifest).write_text(MANIFEST % (root / "channel"), encoding="utf-8")
        (self.repository / ".git").mkdir()
        text = COMPILED.replace(WRITES, SCRIPT).replace("build:", "source:\n  path: src\nbuild:", 1)
        folder = write_recipe(self.repository / "recipes" / "app", text)
        (folder / "src").mkdir()
        (folder / "src" / "main.c").write_text("int main(void) { return 0; }\n", encoding="utf-8")
        write_recipe(self.repository / "recipes" / "pure", simple("pure"))

    def run(self, job: Any, names: Iterable[str], machine: str, **variables: str) -> Path:
        """Run steps of a job by their names in a checkout, which is made first; return it."""
        folder = self.root / machine
        if not folder.is_dir():
            shutil.copytree(self.repository, folder)
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.root),
            "CUVEE_CACHE_DIR": str(folder / "cache"),
            **variables,
        }
        scripts = {step["name"]: step["run"] for step in job["steps"] if "run" in step}
        for name in names:
            argv = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", scripts[name])
            done = process.run(Request(argv=argv, cwd=folder, environment=environment, timeout=HANGING))
            assert done.ok, f"{name}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return folder

    def session(self, checkout: Path, *built: Path) -> Session:
        options = Options(dist=checkout / "dist", cache=checkout / "cache", now=NOW, built=built)
        loaded = load_manifest(checkout / self.manifest, today=dt.date(2026, 11, 22))
        return Session(loaded, options, Recorder())


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """The machine that cuts, with what another one has built, and the release as it was checked there."""

    machines: Machines
    here: Path
    built: Path
    release: Release


@pytest.fixture(scope="module")
def cutting(tmp_path_factory: pytest.TempPathFactory) -> Cutting:
    """The machine for Windows is another checkout here, on which Debian's cross compiler builds."""
    root = tmp_path_factory.mktemp("machines")
    machines = Machines(root)
    file = root / "workflow.yml"
    given = [str(machines.repository / machines.manifest), "--output", str(file)]
    assert run(["ci", "github", *given]) == 0
    # Installers would need an interpreter.
    of_installers = MANIFEST.splitlines(keepends=True)[-1]
    path = machines.repository / machines.manifest
    text = path.read_text(encoding="utf-8").replace(of_installers, "installers: {formats: {}}\n")
    path.write_text(text, encoding="utf-8")
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    build, cut = workflow["jobs"]["build"], workflow["jobs"]["cut"]
    (matrix,) = build["strategy"]["matrix"]["include"]
    there = machines.run(
        build, ["Build its packages", "Pack them"], "there", **workflow["env"], PLATFORM=matrix["platform"]
    )
    (root / "here" / "built").mkdir(parents=True)
    shutil.copytree(machines.repository, root / "here", dirs_exist_ok=True)
    shutil.copy(there / "win-64.tar", root / "here" / "built")
    here = machines.run(cut, ["Unpack what other machines have built"], "here")
    built = here / "built" / "win-64"
    release = check_release(machines.session(here, built))
    return Cutting(machines=machines, here=here, built=built, release=release)


@pytest.mark.real
@needs("x86_64-w64-mingw32-gcc", "tar")
@pytest.mark.skipif(HOST != "linux-64", reason="needs linux-64")
def test_a_package_is_built_by_the_job_of_its_platform_and_taken_by_the_job_that_cuts(
    cutting: Cutting,
) -> None:
    machines, here, built, release = cutting.machines, cutting.here, cutting.built, cutting.release
    plan = plan_builds(machines.session(here, built), ChannelResult())
    assert [(item.name, item.subdir) for item in plan.builds if item.action is BuildAction.TAKE] == [
        ("app", "win-64")
    ]
    assert release.built is not None
    assert not release.built.not_built
    (package,) = (item for item in release.built.packages if item.subdir == "win-64")
    assert (package.built_on, package.not_tested) == (
        "linux-64",
        "programs of a build for Windows need Windows",
    )
    assert release.lock.by_platform["win-64"].by_name["app"].sha256 == package.sha256
    archive = release.folder / "channel" / "win-64" / package.file_name
    assert archive.read_bytes() == (built / "channel" / "win-64" / package.file_name).read_bytes()
    assert BuildCache(here / "cache").latest("app", "win-64") is None, "nothing was built here"
    assert "=== build of app" in (release.folder / "builds" / package.log).read_text(encoding="utf-8")
    assert release.checked is not None
    assert package.sha256 in {item.sha256 for item in release.checked.archives}
    ran = {item.identifier for item in release.checks if item.status is not Status.SKIPPED}
    assert {"file-names", "libraries", "machines", "record"} <= ran
    found = read_provenance(stated_provenance(release, "win-64"))
    notes = {item.name: dict(item.annotations) for item in found.build_definition.resolved_dependencies}
    assert notes["recipes/app"]["builtElsewhere"] == "on another machine, linux-64, as that says"
    assert "builtElsewhere" not in notes["recipes/pure"]


@pytest.mark.real
@needs("x86_64-w64-mingw32-gcc", "tar")
@pytest.mark.skipif(HOST != "linux-64", reason="needs linux-64")
def test_a_second_run_has_nothing_to_do_and_what_is_refused_is_not_in_the_channel(cutting: Cutting) -> None:
    machines, here, built, release = cutting.machines, cutting.here, cutting.built, cutting.release
    assert release.built is not None
    (package,) = (item for item in release.built.packages if item.subdir == "win-64")
    archive = release.folder / "channel" / "win-64" / package.file_name
    assert check_release(machines.session(here, built)).built == replace(release.built, reused=True)
    source = here / "recipes" / "app" / "src" / "main.c"
    source.write_text("int main(void) { return 1; }\n", encoding="utf-8")
    command = ["build", str(here / machines.manifest), "--built", str(built)]
    command += ["--dist", str(here / "dist"), "--cache", str(here / "cache")]
    assert run(command) == 2
    assert not archive.exists()
    source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
    there_built = built / "channel" / "win-64" / package.file_name
    data = bytearray(there_built.read_bytes())
    data[-1] ^= 1
    there_built.write_bytes(data)
    assert run(command) == 5
    assert not archive.exists()
    data[-1] ^= 1
    there_built.write_bytes(data)
    assert run(command) == 0
    assert archive.read_bytes() == data
