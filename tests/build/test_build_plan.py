"""What is planned is what changed, and what needs it; nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from build_recipes import Builds, simple
from cuvee.build.model import BUILDER, Output, Recipe
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.files import sha256_file

pytest.importorskip("rattler_build", reason="needs py-rattler-build")


class CountingEngine(RattlerEngine):
    """Counts what it renders, and may say that it is another version."""

    def __init__(self) -> None:
        super().__init__()
        self.rendered = 0
        self.number = "1"

    @property
    def version(self) -> str:
        return f"counting {self.number}"

    def render(self, recipe: Recipe, platform: str, variant: Mapping[str, str]) -> tuple[Output, ...]:
        self.rendered += 1
        return super().render(recipe, platform, variant)


def test_what_was_never_built_needs_no_solving_to_plan(tmp_path: Path) -> None:
    builds = Builds(tmp_path, engine=CountingEngine())
    for number in range(60):
        name = f"p{number:03}"
        builds.add(name, simple(name, host=[f"p{number - 1:03}"] if number % 10 else ["python"]))
    plan = builds.plan()
    assert (builds.engine.rendered, builds.source.asked) == (60, [])
    assert max(item.wave for item in plan.builds) == 10
    assert {item.reason for item in plan.builds} == {"it has not been built yet"}
    assert not list(tmp_path.glob("cache/*"))


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """Return builds that are all done: app needs lib, which needs core; other needs nothing."""
    builds = Builds(tmp_path_factory.mktemp("chain"), engine=CountingEngine())
    builds.add("core")
    builds.add("lib", simple("lib", host=["core"]))
    builds.add("app", simple("app", run=["lib"], test="test -e $PREFIX/share/lib"))
    builds.add("other")
    done = builds.build()
    assert [item.name for item in done.packages] == ["core", "other", "lib", "app"]
    assert not any(item.reused for item in done.packages)
    return builds


def actions(builds: Builds) -> dict[str, str]:
    return {item.name: item.reason for item in builds.plan().to_build}


@pytest.mark.real
def test_unchanged_is_not_built_again(chain: Builds) -> None:
    assert actions(chain) == {}
    again = chain.build()
    assert all(item.reused for item in again.packages)


@pytest.mark.real
def test_a_changed_recipe_is_built_again_with_all_that_needs_it(chain: Builds) -> None:
    file = chain.recipes / "core" / "recipe.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}# changed\n", encoding="utf-8")
    assert actions(chain) == {
        "core": "its recipe has changed",
        "lib": "it needs core, which is built",
        "app": "it needs lib, which is built",
    }
    built = {item.name for item in chain.build().packages if not item.reused}
    assert built == {"core", "lib", "app"}
    file.write_text(before, encoding="utf-8")
    # The first builds are still kept, each by its key.
    assert all(item.reused for item in chain.build().packages)


@pytest.mark.real
def test_a_changed_leaf_is_built_alone(chain: Builds) -> None:
    file = chain.recipes / "app" / "recipe.yaml"
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}# changed\n", encoding="utf-8")
    assert actions(chain) == {"app": "its recipe has changed"}
    file.write_text(before, encoding="utf-8")


@pytest.mark.real
def test_another_engine_builds_all_again(chain: Builds) -> None:
    chain.engine.number = "2"
    try:
        reasons = actions(chain)
    finally:
        chain.engine.number = "1"
    expected = f"counting 1, builder {BUILDER} to counting 2, builder {BUILDER}"
    assert reasons["core"] == f"the engine has changed: {expected}"
    assert set(reasons) == {"core", "lib", "app", "other"}


@pytest.mark.real
def test_a_damaged_archive_is_built_again_with_the_same_bytes(chain: Builds) -> None:
    latest = chain.cache.latest("other", "noarch")
    assert latest is not None
    archive = chain.cache.archive(latest.package)
    digest = sha256_file(archive)
    archive.write_bytes(b"damaged")
    assert actions(chain) == {"other": "what was built is no longer in the cache"}
    (again,) = [item for item in chain.build().packages if not item.reused]
    assert (again.name, again.sha256, sha256_file(archive)) == ("other", digest, digest)
