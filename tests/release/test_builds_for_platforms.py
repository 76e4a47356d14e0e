"""What is built for which platform, and what is named as not built; without a solver or a compiler."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from build_recipes import FakeEnvironments, simple, write_recipe
from cuvee.build.build_plan import BuildAction
from cuvee.build.cross_building import BuildTarget
from cuvee.build.model import BuiltPackage
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.build.recipe_files import find_recipe
from cuvee.release import build_stage, recipe_work
from cuvee.release.record import ChannelResult
from cuvee.release.session import Session

pytest.importorskip("rattler_build", reason="needs py-rattler-build")

PLATFORMS = ["linux-64", "linux-aarch64", "win-64", "osx-arm64"]
COMPILER = "  build: ['${{ compiler(\"c\") }}']"


def compiled(name: str, *, host: Sequence[str] = (), skip: str = "") -> str:
    text = simple(name).replace("  noarch: generic\n", f"  skip: [{skip}]\n" if skip else "")
    return text.replace("  host: []", f"{COMPILER}\n  host: [{', '.join(host)}]")


class Environments(FakeEnvironments):
    """Knows no versions of a release."""

    made: frozenset[str] = frozenset()
    pins: tuple[Any, ...] = ()

    def __init__(self, platform: str) -> None:
        super().__init__()
        self.platform = platform

    def variant(self) -> dict[str, str]:
        return {}


class Release:
    """A session with recipes and what its manifest requests."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.packages: list[SimpleNamespace] = []
        self.recipes: list[Any] = []
        self.elsewhere: dict[str, Any] = {}
        self.not_run = {"win-64": "it needs Windows"}
        monkeypatch.setattr(
            recipe_work, "_environments", lambda _session, entry, _channel: Environments(entry.name)
        )
        monkeypatch.setattr(recipe_work, "imported_channel", lambda _session, _platforms: None)
        monkeypatch.setattr(recipe_work, "_here", lambda _session: SimpleNamespace(name="linux-64"))
        monkeypatch.setattr(recipe_work, "target_of", lambda _session, name: self.target(name))
        monkeypatch.setattr("cuvee.build.rattler_engine.host", lambda: SimpleNamespace(name="linux-64"))
        monkeypatch.setattr("cuvee.build.cross_building.shutil.which", lambda name, **_path: name)

    def target(self, platform: str) -> BuildTarget:
        return BuildTarget(platform=platform, not_run=self.not_run.get(platform, ""))

    def add(self, name: str, text: str, platforms: Iterable[str] = ()) -> None:
        self.recipes.append(find_recipe(write_recipe(self.root / "recipes" / name, text)))
        if platforms:
            self.packages.append(SimpleNamespace(name=name, platforms=tuple(platforms)))

    @property
    def session(self) -> Session:
        found = SimpleNamespace(
            manifest=SimpleNamespace(
                packages=self.packages,
                present_platforms=[SimpleNamespace(name=name) for name in PLATFORMS],
            ),
            recipes=self.recipes,
            patches=(),
            builds_elsewhere=self.elsewhere,
            engines={"rattler-build": RattlerEngine()},
            workspace=SimpleNamespace(cache=self.root / "cache", imports=self.root / "imports"),
            platforms=PLATFORMS,
        )
        return cast("Session", found)

    def planned(self) -> tuple[list[tuple[int, str, str, str]], list[tuple[str, str, str]]]:
        channel = cast("ChannelResult", SimpleNamespace(absent=()))
        plan = build_stage.plan_builds(self.session, channel)
        return (
            [(item.wave, item.name, item.subdir, item.not_tested) for item in plan.builds],
            [(item.name, item.platform, item.reason) for item in plan.not_built],
        )


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    return Release(tmp_path, monkeypatch)


def test_what_is_requested_is_built_for_each_platform_after_that_of_the_machine(release: Release) -> None:
    release.add("lib", compiled("lib"))
    release.add("app", compiled("app", host=["lib"]), PLATFORMS[:3])
    release.add("pure", simple("pure"), PLATFORMS)
    builds, not_built = release.planned()
    assert builds == [
        (1, "lib", "linux-64", ""),
        (1, "pure", "noarch", ""),
        (2, "app", "linux-64", ""),
        (3, "lib", "linux-aarch64", ""),
        (4, "app", "linux-aarch64", ""),
        (5, "lib", "win-64", "it needs Windows"),
        (6, "app", "win-64", "it needs Windows"),
    ]
    assert not_built == []


def test_what_is_not_requested_for_a_platform_is_not_built_for_it(release: Release) -> None:
    release.add("app", compiled("app"), ["linux-64", "win-64"])
    release.add("other", compiled("other"), ["linux-64"])
    builds, not_built = release.planned()
    assert [(name, platform) for _, name, platform, _ in builds] == [
        ("app", "linux-64"),
        ("other", "linux-64"),
        ("app", "win-64"),
    ]
    assert not_built == []


def test_what_needs_a_package_that_is_not_built_is_not_built(release: Release) -> None:
    release.add("extension", compiled("extension", host=["python"]))
    release.add("app", compiled("app", host=["extension"]), ["linux-64", "win-64"])
    builds, not_built = release.planned()
    assert {platform for _, _, platform, _ in builds} == {"linux-64"}
    assert not_built == [
        ("extension", "win-64", "its build runs the python of win-64; it needs Windows"),
        ("app", "win-64", "it needs extension"),
    ]


def test_a_platform_without_compilers_is_named(release: Release) -> None:
    release.add("app", compiled("app"), ["linux-64", "osx-arm64"])
    _, not_built = release.planned()
    reason = "it is compiled, and this machine builds only for linux-64, linux-aarch64 and win-64"
    assert not_built == [("app", "osx-arm64", reason)]


def test_a_recipe_that_skips_a_platform_is_named(release: Release) -> None:
    release.add("app", compiled("app", skip="win"), ["linux-64", "win-64"])
    _, not_built = release.planned()
    assert not_built == [("app", "win-64", "its recipe skips win-64")]


class Elsewhere:
    """A folder that has whatever it is asked for."""

    def taken(self, output: Any) -> SimpleNamespace:
        package = BuiltPackage(
            recipe=output.recipe.name,
            name=output.name,
            version=output.version,
            build=output.build,
            subdir=output.subdir,
            file_name=f"{output.stem}.conda",
            sha256="a" * 64,
            key="b" * 64,
            built_on=output.subdir,
        )
        return SimpleNamespace(package=package, output=output)


def test_all_of_a_platform_is_taken_from_the_machine_that_has_built_for_it(release: Release) -> None:
    release.add("lib", compiled("lib"))
    release.add("app", compiled("app", host=["lib", "python"]), ["linux-64", "win-64", "osx-arm64"])
    release.add("other", compiled("other"), ["linux-64"])
    release.add("gone", compiled("gone", skip="osx"), ["linux-64", "osx-arm64"])
    release.add("mac", compiled("mac", skip="not osx"), ["osx-arm64"])
    release.add("pure", simple("pure"), PLATFORMS)
    release.elsewhere = {"osx-arm64": Elsewhere(), "win-64": Elsewhere()}
    channel = cast("ChannelResult", SimpleNamespace(absent=()))
    plan = build_stage.plan_builds(release.session, channel)
    taken = [(item.name, item.subdir, item.reason) for item in plan.builds if item.action is BuildAction.TAKE]
    mac, windows = ("it was built elsewhere, on osx-arm64", "it was built elsewhere, on win-64")
    assert sorted(taken) == [
        ("app", "osx-arm64", mac),
        ("app", "win-64", windows),
        ("lib", "osx-arm64", mac),
        ("lib", "win-64", windows),
        ("mac", "osx-arm64", mac),
    ]
    assert {item.subdir for item in plan.to_build} == {"linux-64", "noarch"}
    assert [(item.name, item.reason) for item in plan.not_built] == [("gone", "its recipe skips osx-arm64")]


def test_what_is_never_made_for_this_machine_is_built_for_the_others_or_named(release: Release) -> None:
    release.add("app", compiled("app"), ["linux-64"])
    release.add("only", compiled("only", skip="linux"), ["win-64", "osx-arm64"])
    builds, not_built = release.planned()
    assert [(name, platform) for _, name, platform, _ in builds] == [("app", "linux-64"), ("only", "win-64")]
    reason = "it is compiled, and this machine builds only for linux-64, linux-aarch64 and win-64"
    assert not_built == [("only", "osx-arm64", reason)]
