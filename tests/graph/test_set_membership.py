"""Packages leave the set, and change hands, in steps."""

import datetime as dt
from typing import Any

import pytest

from checked_sets import asked, lock_of, manifest_of, only, package, results
from cuvee.graph.checks import CheckOutcome
from cuvee.graph.findings import Verdict
from cuvee.manifest.model import Deprecation, Manifest, Owner, ReleaseVersion, Requirement, Support, Track

LOCK = lock_of(package("top"), package("low"))
LTS = Support(track=Track.LTS)


def outcome(check: str, manifest: Manifest, **graph: Any) -> CheckOutcome:
    return results(LOCK, manifest, **({"base": LOCK} | graph))[check]


def second(*now: Requirement, before: tuple[Requirement, ...], **changes: Any) -> Manifest:
    base = manifest_of(*before, version="2026.11.0")
    return manifest_of(*now, version="2026.12.0", base=base, support=LTS, **changes)


def leaving(removed_in: str | None = None) -> Deprecation:
    version = ReleaseVersion.parse(removed_in) if removed_in else None
    return Deprecation(reason="no releases", instead="new", removed_in=version)


def test_a_package_that_was_not_deprecated_must_not_leave() -> None:
    finding = only(outcome("removals", second(asked("top"), before=(asked("top"), asked("gone")))))
    assert (finding.kind, finding.verdict, finding.packages) == (
        "not-deprecated", Verdict.NEEDS_APPROVAL, ("gone",),
    )  # fmt: skip
    assert "tiny-2026.11.0 did not say so" in finding.cause
    assert len(finding.evidence) == 1


def test_one_that_stays_as_a_dependency_is_told_apart() -> None:
    finding = only(outcome("removals", second(asked("top"), before=(asked("top"), asked("low")))))
    assert finding.evidence[-1] == "it stays in the release, as a dependency"


@pytest.mark.parametrize(
    ("removed_in", "kinds"), [(None, []), ("2026.12.0", []), ("2026.11.5", []), ("2027.1.0", ["too-early"])]
)
def test_a_deprecated_package_leaves_when_it_was_said(removed_in: str | None, kinds: list[str]) -> None:
    before = (asked("top"), asked("gone", deprecated=leaving(removed_in)))
    assert [item.kind for item in outcome("removals", second(asked("top"), before=before)).findings] == kinds


@pytest.mark.parametrize(
    ("removed_in", "kind", "verdict"),
    [
        (None, "deprecated", Verdict.INFO),
        ("2027.1.0", "deprecated", Verdict.INFO),
        ("2026.12.0", "overdue", Verdict.WARNING),
    ],
)
def test_a_deprecated_package_of_the_set_is_told(removed_in: str | None, kind: str, verdict: Verdict) -> None:
    now = asked("top", deprecated=leaving(removed_in))
    finding = only(outcome("removals", second(now, before=(asked("top"),))))
    assert (finding.kind, finding.verdict) == (kind, verdict)
    assert finding.evidence == ("reason: no releases",)


def test_severity_is_by_policy() -> None:
    manifest = second(asked("top"), before=(asked("top"), asked("gone")))
    assert only(outcome("removals", manifest)).verdict is Verdict.NEEDS_APPROVAL
    edge = manifest_of(
        *manifest.packages, version="2026.12.0", base=manifest.base, support=Support(track=Track.EDGE)
    )
    assert only(outcome("removals", edge)).verdict is Verdict.INFO


OLD = (asked("top", owner="core"),)


def owners(**accepts: dict[str, dt.date]) -> tuple[Owner, ...]:
    return tuple(
        Owner(name=name, contact="x", accepts=accepts.get(name, {})) for name in ("core", "art", "new")
    )


def test_a_package_is_handed_over_to_who_has_agreed() -> None:
    now = asked("top", owner="art")
    finding = only(outcome("handovers", second(now, before=OLD, owners=owners())))
    assert (finding.kind, finding.verdict) == ("not-agreed", Verdict.NEEDS_APPROVAL)
    agreed = owners(art={"top": dt.date(2026, 11, 20)})
    finding = only(outcome("handovers", second(now, before=OLD, owners=agreed)))
    assert (finding.kind, finding.verdict) == ("handed-over", Verdict.INFO)
    # What another owner has accepted says nothing about this one.
    other = owners(core={"top": dt.date(2026, 11, 20)})
    assert only(outcome("handovers", second(now, before=OLD, owners=other))).kind == "not-agreed"


def test_a_package_is_not_given_up_in_silence() -> None:
    given_up = asked("top", owner=None)
    finding = only(outcome("handovers", second(given_up, before=OLD)))
    assert (finding.kind, finding.verdict) == ("given-up", Verdict.NEEDS_APPROVAL)
    leaves = asked("top", owner=None, deprecated=leaving())
    assert only(outcome("handovers", second(leaves, before=OLD))).verdict is Verdict.INFO


def test_new_packages_need_an_agreement_where_agreements_are_kept() -> None:
    now = (asked("top"), asked("low", owner="art"))
    assert not outcome("handovers", second(*now, before=OLD, owners=owners())).findings
    kept = owners(core={"top": dt.date(2026, 1, 1)})
    finding = only(outcome("handovers", second(*now, before=OLD, owners=kept)))
    assert (finding.kind, finding.packages) == ("not-agreed", ("low",))


def test_an_unchanged_set_and_a_release_without_a_base_pass() -> None:
    for check in ("removals", "handovers"):
        assert not outcome(check, manifest_of(*OLD)).findings
        assert not outcome(check, second(*OLD, before=OLD)).findings
