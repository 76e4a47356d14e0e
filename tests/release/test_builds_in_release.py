"""The recipes of this repository, built against a release's own python and numpy, and in its lock."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest

from cuvee.build.build_plan import BuildAction
from cuvee.conda.package_info import read_index
from cuvee.errors import BlockedError
from cuvee.manifest import load_manifest
from cuvee.platforms import host
from cuvee.release.build_stage import plan_builds
from cuvee.release.channel_stage import make_channel
from cuvee.release.pipeline import check_release, lock_release
from cuvee.release.record import Release
from cuvee.release.session import Options, Session
from in_toto_statements import read_provenance, stated_provenance
from needed_programs import needs
from tiny_distribution import NOW, Recorder, fill_cache

pytest.importorskip("rattler_build", reason="needs py-rattler-build")
_HERE = host()
pytestmark = [
    pytest.mark.real,
    pytest.mark.minutes(2),
    needs("gcc", "make"),
    pytest.mark.skipif(_HERE is None or _HERE.name != "linux-64", reason="needs linux-64"),
]

ROOT = Path(__file__).parents[2]
MANIFEST = """\
manifest: 1
distribution: built
version: "2026.11.0"
title: Built
platforms:
  linux-64: {floor: {glibc: "2.40"}}
  win-64: {floor: {win: "10"}}
interpreter: host
exclude-newer: 2026-11-20T00:00:00Z
owners:
  core: {contact: core@example.org}
packages:
  python: {version: ">=3.11", owner: core}
  numpy: {version: ">=2.4,<2.5", owner: core}
  fast-histogram: {version: "*", owner: core, platforms: [linux-64]}
  pyerfa: {version: "*", owner: core, platforms: [linux-64]}
  starter-tools: {version: "*", owner: core}
wheels: [fast-histogram, jinja2, numpy, packaging, pip, setuptools, setuptools-scm, wheel]
recipes: [fast-histogram, liberfa, pyerfa, starter-tools]
"""


class Built:
    """A release with recipes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.recorder = Recorder()
        fill_cache(root / "cache")
        shutil.copytree(ROOT / "recipes", root / "recipes")
        self.manifest = root / "manifests" / "built" / "2026.11.0.yaml"
        self.manifest.parent.mkdir(parents=True)
        self.manifest.write_text(MANIFEST, encoding="utf-8")

    def session(self, *platforms: str) -> Session:
        """Return a run; for some platforms only, in a folder of its own."""
        self.recorder = Recorder()
        dist = self.root / "-".join(("dist", *platforms))
        options = Options(dist=dist, cache=self.root / "cache", now=NOW, platforms=platforms)
        return Session(load_manifest(self.manifest, today=dt.date(2026, 11, 22)), options, self.recorder)

    @property
    def channel(self) -> set[str]:
        folder = self.root / "dist" / "built-2026.11.0" / "channel"
        return {path.name.rsplit("-", 2)[0] for path in folder.glob("*/*.conda")}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("built"))


@pytest.fixture(scope="module")
def release(built: Built) -> Release:
    return check_release(built.session())


def test_what_recipes_make_is_in_the_lock_and_the_channel(built: Built, release: Release) -> None:
    assert release.built is not None
    assert [item.name for item in release.built.packages] == [
        "fast-histogram",
        "liberfa",
        "starter-tools",
        "pyerfa",
    ]
    by_platform = release.lock.by_platform
    made = {"fast-histogram", "liberfa", "starter-tools", "pyerfa"}
    assert made <= by_platform["linux-64"].by_name.keys()
    assert made & by_platform["win-64"].by_name.keys() == {"starter-tools"}
    assert made <= built.channel
    assert {package.sha256 for package in release.built.packages} <= {
        package.sha256 for package in by_platform["linux-64"].packages
    }
    assert not [finding for finding in release.findings if finding.verdict.exit_code]


def test_what_a_recipe_makes_is_there_in_place_of_the_wheel_of_that_name(
    built: Built, release: Release
) -> None:
    folder = built.root / "dist" / release.name / "channel"
    assert len(list(folder.glob("linux-64/fast-histogram-*.conda"))) == 2
    assert release.built is not None
    (made,) = (item for item in release.built.packages if item.name == "fast-histogram")
    records = json.loads((folder / "linux-64" / "repodata.json").read_text("utf-8"))["packages.conda"]
    assert [name for name in records if name.startswith("fast-histogram-")] == [made.file_name]
    assert plan_builds(built.session(), release.channel).builds


def test_provenance_names_recipes_and_their_sources(built: Built, release: Release) -> None:
    assert release.built is not None
    data = stated_provenance(release, "linux-64")
    found = read_provenance(data).build_definition.resolved_dependencies
    made = {item.file_name: item.recipe for item in release.built.packages}
    of_recipes = [item for item in found if item.annotations["package"] in made]
    assert {item.name for item in of_recipes if "cuveeRecipe" in item.digest} == {
        f"recipes/{name}" for name in made.values()
    }
    sources = [item for item in of_recipes if "sha256" in item.digest]
    assert {made[item.annotations["package"]] for item in sources} >= {"liberfa", "pyerfa"}
    for item in sources:
        recipe = built.root / "recipes" / made[item.annotations["package"]] / "recipe.yaml"
        assert item.digest["sha256"] in recipe.read_text()
        assert item.uri or item.download_location


def test_extensions_are_compiled_against_the_versions_of_the_release(built: Built, release: Release) -> None:
    assert release.built is not None
    versions = {item.name: item.version for item in release.lock.by_platform["linux-64"].packages}
    folder = built.root / "dist" / release.name / "channel"
    for package in release.built.packages:
        if package.name in {"pyerfa", "fast-histogram"}:
            depends = read_index(folder / package.subdir / package.file_name).depends
            python = next(item for item in depends if item.startswith("python "))
            assert python.startswith(f"python >={versions['python']},<3.")
            assert any(item.startswith(f"numpy >={versions['numpy']},<3") for item in depends)
    logs = sorted(path.name for path in (built.root / "dist" / release.name / "builds").iterdir())
    assert logs == sorted(package.log for package in release.built.packages)


def test_a_second_run_builds_and_solves_nothing(built: Built, release: Release) -> None:
    again = lock_release(built.session())
    assert built.recorder.unchanged >= {"channel", "build", "lock"}
    assert again.built is not None
    assert release.built is not None
    assert again.built.packages == release.built.packages


def test_a_run_without_this_platform_takes_what_is_noarch(built: Built, release: Release) -> None:
    assert release.built is not None
    other = lock_release(built.session("win-64"))
    assert other.built is not None
    made = {item.name: item for item in release.built.packages}
    (package,) = other.built.packages
    assert (package.name, package.key, package.reused) == ("starter-tools", made["starter-tools"].key, True)
    assert (other.built.unneeded, other.built.not_built) == ((), ())
    (lock,) = other.lock.platforms
    assert {item.sha256 for item in lock.packages if item.name == "starter-tools"} == {package.sha256}


def test_a_lost_channel_is_made_again_from_the_cache(built: Built, release: Release) -> None:
    shutil.rmtree(built.root / "dist" / release.name / "channel")
    again = lock_release(built.session())
    assert again.built is not None
    assert all(item.reused for item in again.built.packages)
    assert again.lock == release.lock


def test_only_what_changed_is_planned_and_the_plan_changes_nothing(built: Built, release: Release) -> None:
    file = built.root / "recipes" / "starter-tools" / "src" / "starter_tools.py"
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}# changed\n", encoding="utf-8")
    session = built.session()
    plan = plan_builds(session, make_channel(session))
    file.write_text(before, encoding="utf-8")
    assert built.channel >= {"fast-histogram", "liberfa", "pyerfa", "starter-tools"}
    found = {item.name: (item.action, item.reason, item.wave) for item in plan.builds}
    assert found == {
        "fast-histogram": (BuildAction.REUSE, "unchanged", 1),
        "liberfa": (BuildAction.REUSE, "unchanged", 1),
        "starter-tools": (BuildAction.BUILD, "its recipe has changed", 1),
        "pyerfa": (BuildAction.REUSE, "unchanged", 2),
    }
    assert plan.unneeded == ()


def test_nothing_of_a_package_that_fails_is_in_the_channel(built: Built, release: Release) -> None:
    file = built.root / "recipes" / "starter-tools" / "recipe.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(before.replace("starter-info --help", "starter-info --nothing"), encoding="utf-8")
    with pytest.raises(BlockedError, match="The test failed: starter-tools"):
        lock_release(built.session())
    assert "starter-tools" not in built.channel
    file.write_text(before, encoding="utf-8")
    assert lock_release(built.session()).lock == release.lock
    assert "starter-tools" in built.channel
