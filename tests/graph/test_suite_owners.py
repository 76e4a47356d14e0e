"""The check that every suite has an owner."""

from dataclasses import replace

from checked_sets import lock_of, manifest_of, only, package
from cuvee.graph.checks import CheckOutcome, Status, run_checks
from cuvee.graph.checks.suite_owners import SuiteOwnersCheck
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import build_graph
from cuvee.manifest.model import Owner

LOCK = lock_of(package("python"))
OWNERS = (Owner(name="core", contact="core@example.org"), Owner(name="art", contact="art@example.org"))


def found_in(*suites: str, owners: tuple[Owner, ...] = OWNERS, tested: bool = True) -> CheckOutcome:
    graph = build_graph(manifest_of(owners=owners), LOCK)
    graph = replace(graph, tests=() if tested else None, unowned_suites=suites)
    (outcome,) = run_checks(graph, [SuiteOwnersCheck()])
    return outcome


def test_a_suite_without_an_owner_is_named_with_what_to_write() -> None:
    found = only(found_in("plots"))
    assert found.verdict is Verdict.WARNING
    assert found.cause.startswith("The suite plots has no owner")
    assert found.evidence == ("integration_tests/plots/suite.yaml has no `owner`",)
    assert found.action == "Write `owner: art` there, or another of art, core."
    assert only(found_in("plots", owners=OWNERS[:1])).action == "Write `owner: core` there."


def test_without_owners_there_is_nothing_to_name() -> None:
    assert found_in("plots", owners=()).status is Status.PASS
    assert found_in().status is Status.PASS
    assert found_in("plots", tested=False).status is Status.SKIPPED
