"""Waves on the workers of a Dask cluster, and what a machine must have for that."""

from dataclasses import replace
from pathlib import Path

import cloudpickle
import pytest

import build_recipes
from build_recipes import Builds, simple
from cuvee.build.other_machines import check_machine
from cuvee.errors import BlockedError
from cuvee.executors.dask_cluster import DaskCluster
from cuvee.executors.dask_executor import DaskExecutor
from dask_machines import machines

pytest.importorskip("rattler_build", reason="needs py-rattler-build")


@pytest.mark.real
def test_waves_are_built_on_the_workers_of_a_cluster(tmp_path: Path) -> None:
    cloudpickle.register_pickle_by_value(build_recipes)  # workers cannot import what tests share
    builds = Builds(tmp_path)
    (tmp_path / "cluster").mkdir()
    builds.add("core")
    builds.add(
        "lib", simple("lib", host=["core"], script="test -e $PREFIX/share/core && touch $PREFIX/lib.txt")
    )
    try:
        with machines(tmp_path / "cluster") as cluster:
            cluster.add("one")
            cluster.wait_for(1)
            with DaskCluster(cluster.address) as connected, DaskExecutor(connected) as executor:
                done = builds.build(executor=executor)
    finally:
        cloudpickle.unregister_pickle_by_value(build_recipes)
    assert [(item.name, item.wave, item.reused) for item in done.packages] == [
        ("core", 1, False),
        ("lib", 2, False),
    ]
    assert all(item.reused for item in builds.build().packages)


def test_a_machine_without_the_files_builds_nothing(tmp_path: Path) -> None:
    builds = Builds(tmp_path)
    builds.add("a")
    (output,) = builds.outputs()
    check_machine(output.recipe, [output.recipe.file], {})
    lost = tmp_path / "lost.conda"
    with pytest.raises(BlockedError) as caught:
        check_machine(replace(output.recipe, digest="other"), [lost], {})
    assert f"{lost} is not there" in caught.value.message
    assert "has another recipe" in caught.value.message
    assert "at the same paths" in (caught.value.hint or "")
    with pytest.raises(BlockedError, match="has no recipe"):
        check_machine(replace(output.recipe, file=tmp_path / "none" / "recipe.yaml"), [], {})


def test_a_machine_with_another_compiler_builds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = Builds(tmp_path)
    builds.add("a")
    (output,) = builds.outputs()
    monkeypatch.setattr("cuvee.build.other_machines.compiler_version", lambda *_: "14.2.0")
    check_machine(output.recipe, [], {"gcc": "14.2.0"})
    with pytest.raises(BlockedError, match=r"gcc is 14\.2\.0, not 12\.2\.0"):
        check_machine(output.recipe, [], {"gcc": "12.2.0"})
