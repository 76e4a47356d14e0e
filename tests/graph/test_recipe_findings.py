"""The check of what recipes give a release."""

from dataclasses import replace

from checked_sets import HERE, asked, lock_of, manifest_of, only, package, results
from cuvee.build.model import Irreproducible, NotBuilt, RecipeFacts
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks import CheckOutcome, Status, run_checks
from cuvee.graph.checks.recipe_findings import RecipesCheck
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import build_graph
from cuvee.manifest.model import WheelRequirement

LOCK = lock_of(package("python"))
MANIFEST = manifest_of(recipes=("one",))


def found_in(facts: RecipeFacts | None, recipes: tuple[str, ...] = ("one",)) -> CheckOutcome:
    graph = replace(build_graph(manifest_of(recipes=recipes), LOCK), recipes=facts)
    (outcome,) = run_checks(graph, [RecipesCheck()])
    return outcome


def test_a_recipe_that_nobody_needs_is_named() -> None:
    found = only(found_in(RecipeFacts(unneeded=("one",))))
    assert found.verdict is Verdict.WARNING
    assert found.cause == "Nothing needs the recipe one: neither the manifest nor another recipe"
    assert found.evidence == ("`recipes` in 2026.11.0.yaml names it",)


def test_files_in_which_two_builds_differ_are_listed() -> None:
    files = tuple(f"share/{number:02}" for number in range(30))
    found = only(
        found_in(RecipeFacts(irreproducible=(Irreproducible(package="a-b-1-0@noarch", files=files),)))
    )
    assert (found.kind, found.packages) == ("irreproducible", ("a-b",))
    assert found.verdict is Verdict.WARNING, "a release without a track counts as stable"
    assert found.cause == "Two builds of a-b-1-0@noarch differ in 30 files"
    assert found.evidence[0] == "share/00"
    assert found.evidence[-1] == "and 10 more"


def test_what_could_not_be_built_here_is_for_information() -> None:
    facts = RecipeFacts(
        not_built=(NotBuilt(recipe="one", name="a", platform="win-64", reason="it is compiled"),)
    )
    found = only(found_in(facts))
    assert (found.verdict, found.platforms) == (Verdict.INFO, ("win-64",))
    assert found.cause == "a was not built for win-64: it is compiled"


def test_what_is_not_the_package_that_a_recipe_has_made_is_named() -> None:
    missing = NotBuilt(recipe="one", name="lib", platform="win-64", reason="it is compiled")
    facts = RecipeFacts(built=("one-2.0-h0_0@linux-64",), not_built=(missing,))
    manifest = manifest_of(asked("one"), recipes=("one",))

    def found(locked: LockedPackage) -> list[tuple[str, Verdict, tuple[str, ...]]]:
        graph = replace(build_graph(manifest, lock_of(locked)), recipes=facts)
        (outcome,) = run_checks(graph, [RecipesCheck()])
        named = [one for one in outcome.findings if one.kind == "not-taken"]
        return [(one.cause, one.verdict, one.evidence) for one in named]

    made = package("one", "2.0", build="h0_0")
    assert found(made) == []
    channel = "https://example.org/c"
    other = replace(made, version="3.0", url=f"{channel}/linux-64/one-3.0-h0_0.conda", channel=channel)
    evidence = ("one-3.0-h0_0 is from https://example.org/c",)
    assert found(other) == [("one on linux-64 is not what its recipe makes", Verdict.WARNING, evidence)]
    imported = replace(made, build="py311_0")
    assert [verdict for _, verdict, _ in found(imported)] == [Verdict.WARNING]
    (indirect,) = found(replace(other, name="lib"))
    assert indirect[:2] == ("lib on linux-64 is not what its recipe makes", Verdict.INFO)
    assert found(package("three", "3.0")) == []


def test_recipes_that_were_not_built_are_not_judged() -> None:
    assert found_in(None).status is Status.SKIPPED
    assert found_in(None, ()).status is Status.PASS
    assert found_in(RecipeFacts()).status is Status.PASS


def test_wheels_that_builds_ask_for_need_not_be_in_the_release() -> None:
    manifest = replace(MANIFEST, wheels=(WheelRequirement(name="setuptools", position=HERE),))
    lock = lock_of(package("python", platform="linux-64"), package("python", platform="win-64"))
    assert "setuptools" in results(lock, manifest)["references"].findings[0].cause
    facts = RecipeFacts(asked=("setuptools",))
    assert results(lock, manifest, recipes=facts)["references"].findings == ()
