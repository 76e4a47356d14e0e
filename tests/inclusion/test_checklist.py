"""Each item of the checklist passes, fails, or needs a person."""

from dataclasses import replace
from typing import Any

import pytest

from checked_sets import lock_of, package
from cuvee.graph.diff import diff
from cuvee.graph.findings import Finding, Verdict
from cuvee.inclusion.checklist import checklist_of
from cuvee.inclusion.model import ItemState, PackageClaims, PlatformAddition, UpstreamReleases
from cuvee.lock.model import Lock
from cuvee.manifest.inclusion_schema import DEFAULT_BINDING, INCLUSION_ITEMS
from cuvee.manifest.model import AgePolicy, InclusionPolicy, LicensePolicy, Owner, Policy
from submissions import CLAIMS, GOOD, HELPER, MEMBER, NEW, items, policy, released

PASS, FAIL, PERSON = ItemState.PASS, ItemState.FAIL, ItemState.PERSON


def test_a_good_package_passes_everything() -> None:
    checklist = checklist_of(GOOD)
    assert [item.identifier for item in checklist.items] == list(INCLUSION_ITEMS)
    assert {item.state for item in checklist.items} == {PASS}
    assert checklist.headline == "httpx can come in"
    assert checklist.versions == {"linux-64": "2.0 0"}


def test_the_policy_says_what_binds() -> None:
    assert Policy().inclusion.binding == DEFAULT_BINDING
    binding = {item.identifier for item in checklist_of(GOOD).items if item.binds}
    assert binding == {"solves", "owner"}
    refused = checklist_of(replace(GOOD, owner=None))
    assert [item.identifier for item in refused.refused] == ["owner"]
    assert refused.headline == "httpx cannot come in: owner"
    loose = checklist_of(replace(GOOD, owner=None, manifest=policy(inclusion=InclusionPolicy(binding=()))))
    assert not loose.refused
    assert loose.headline == "httpx can come in once people have judged 2 items"


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"unsolved": {"win-64": "no numpy"}}, FAIL),
        ({"platforms": ("linux-64", "win-64")}, PERSON),
        ({"after": Lock(platforms=()), "additions": (), "unsolved": {"linux-64": "no"}}, FAIL),
    ],
)
def test_a_set_has_to_solve_on_each_platform(changes: dict[str, Any], state: ItemState) -> None:
    assert items(**changes)["solves"].state is state


def test_what_cannot_be_known_without_a_solution_is_for_people() -> None:
    found = items(after=Lock(platforms=()), additions=(), claims={}, unsolved={"linux-64": "no"})
    for name in ("members", "growth", "clobbers", "tests", "metadata", "licenses", "age"):
        assert found[name].state is PERSON, name


@pytest.mark.parametrize(
    ("after", "state"),
    [((package("numpy", "0.9"), NEW), FAIL), ((package("numpy", "1.1"), NEW), PERSON), ((MEMBER, NEW), PASS)],
)
def test_members_should_not_change(after: Any, state: ItemState) -> None:
    changes = tuple(item for item in diff(lock_of(MEMBER), lock_of(*after)) if item.package != "httpx")
    assert items(changes=changes)["members"].state is state


@pytest.mark.parametrize(
    ("bounds", "state"),
    [
        ({}, PERSON),
        ({"most_packages": 2}, PASS),
        ({"most_packages": 1}, FAIL),
        ({"most_megabytes": 1}, PASS),
        ({"most_megabytes": 0}, FAIL),
    ],
)
def test_growth_has_the_bounds_of_the_policy(bounds: dict[str, Any], state: ItemState) -> None:
    manifest = policy(inclusion=InclusionPolicy(**bounds))
    assert items(manifest=manifest)["growth"].state is state


def test_growth_names_sizes_licences_and_people() -> None:
    item = items()["growth"]
    assert item.summary == "2 packages, 3.00 kB"
    assert "  sniffio 1.0, 2.00 kB, Apache-2.0" in item.evidence
    assert "maintainers of the recipes that come in: ada" in item.evidence
    assert "without an owner in this distribution: sniffio" in item.evidence


def test_an_unknown_size_is_not_within_a_bound() -> None:
    unsized = replace(NEW, size=0)
    item = items(
        additions=(PlatformAddition(platform="linux-64", packages=(unsized,)),),
        manifest=policy(inclusion=InclusionPolicy(most_megabytes=10)),
    )["growth"]
    assert item.state is PERSON


def test_files_of_others_are_clobbered_or_not_known() -> None:
    found = Finding(check="file-clashes", verdict=Verdict.WARNING, cause="two install x", packages=("httpx",))
    assert items(shared_files=(found,))["clobbers"].state is FAIL
    closed = items(not_opened={"linux-64": ("numpy",)})["clobbers"]
    assert (closed.state, closed.evidence) == (PERSON, ("linux-64: numpy",))
    assert items(not_opened={"linux-64": ()})["clobbers"].state is PASS


@pytest.mark.parametrize(
    ("claims", "state"),
    [
        (CLAIMS, PASS),
        (replace(CLAIMS, recipe=""), PERSON),
        (replace(CLAIMS, tests=(), unsupported_tests=("perl: not run",)), PERSON),
        (replace(CLAIMS, tests=()), FAIL),
        (replace(CLAIMS, recipe="", wheel="httpx-2.0-py3-none-any.whl"), PERSON),
        (None, PERSON),
    ],
)
def test_tests_of_its_own(claims: PackageClaims | None, state: ItemState) -> None:
    assert items(claims={NEW.identifier: claims} if claims else {})["tests"].state is state


@pytest.mark.parametrize(
    ("claims", "state"),
    [
        (replace(CLAIMS, summary=""), FAIL),
        (replace(CLAIMS, license_files=()), FAIL),
        (replace(CLAIMS, links=()), FAIL),
        (None, PERSON),
    ],
)
def test_metadata_has_to_be_complete(claims: PackageClaims | None, state: ItemState) -> None:
    assert items(claims={NEW.identifier: claims} if claims else {})["metadata"].state is state


@pytest.mark.parametrize(
    ("license", "state"), [("MIT", PASS), ("AGPL-3.0-only", FAIL), ("BSD", PERSON), (None, PERSON)]
)
def test_licences_of_all_that_comes_in(license: str | None, state: ItemState) -> None:  # noqa: A002
    helper = replace(HELPER, license=license)
    added = (PlatformAddition(platform="linux-64", packages=(NEW, helper)),)
    assert items(additions=added)["licenses"].state is state
    only = policy(licenses=LicensePolicy(allow=("Apache-2.0",)))
    assert items(additions=added, manifest=only)["licenses"].state is FAIL, "httpx is under MIT"


def test_an_owner_has_to_agree() -> None:
    assert items()["owner"].summary == "core (core@example.org) has agreed on 2026-11-20"
    silent = replace(
        GOOD.manifest,
        owners=(Owner(name="core", contact="x", organisation="Example", people=("Ada", "Grace")),),
    )
    item = items(manifest=silent)["owner"]
    assert (item.state, item.evidence) == (PERSON, ("organisation: Example", "people: Ada, Grace"))
    assert items(owner=None)["owner"].state is FAIL


@pytest.mark.parametrize(
    ("name", "state"),
    [("Num_Py", FAIL), ("nurnpy", FAIL), ("nupmy", FAIL), ("numpyy", PERSON), ("httpx", PASS)],
)
def test_names_that_are_taken_for_members(name: str, state: ItemState) -> None:
    assert items(name=name)["name"].state is state


def test_a_dependency_must_not_be_taken_for_a_member_either() -> None:
    added = (PlatformAddition(platform="linux-64", packages=(NEW, package("num-py"), package("numpyy"))),)
    item = items(additions=added)["name"]
    assert item.state is FAIL
    assert item.summary == "num-py differs only in case, dashes, underscores and dots from numpy"


@pytest.mark.parametrize(
    ("releases", "age", "releases_state"),
    [
        ((released(900, "1.0"), released(30)), PASS, PASS),
        ((released(900, "1.0"), released(3)), FAIL, PASS),
        ((released(40, "1.0"), released(30)), PERSON, PASS),
        ((released(900, "1.0"), released(400)), PASS, FAIL),
        ((released(900, "1.0"), released(None)), PERSON, PERSON),
        ((released(None),), PERSON, PERSON),
        ((), PERSON, PERSON),
    ],
)
def test_age_and_releases(releases: Any, age: ItemState, releases_state: ItemState) -> None:
    found = items(upstream=UpstreamReleases(source="the channels", releases=releases))
    assert (found["age"].state, found["releases"].state) == (age, releases_state)


def test_the_policy_of_age_holds() -> None:
    assert items(manifest=policy(age=AgePolicy(at_least=31)))["age"].state is FAIL
    assert items(manifest=policy(age=AgePolicy(at_most=29)))["age"].state is FAIL
    young = UpstreamReleases(source="the channels", releases=(released(900, "1.0"), released(3)))
    assert items(manifest=policy(age=AgePolicy(at_least=2)), upstream=young)["age"].state is PASS


def test_what_the_index_does_not_say_is_for_people() -> None:
    item = items(
        upstream=UpstreamReleases(source="the Python index", problem="it could not be reached\nat all")
    )
    assert item["releases"].state is PERSON
    assert item["releases"].summary == "not known from the Python index: it could not be reached"


def test_errata_are_about_versions() -> None:
    assert items(errata=("E-1: httpx 2.0: broken",))["errata"].state is FAIL


def test_a_release_of_the_future_is_not_one_of_the_last_year() -> None:
    found = items(upstream=UpstreamReleases(source="x", releases=(released(900, "1.0"), released(-3))))
    assert found["releases"].state is FAIL
