"""What a release may do to its base."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from checked_sets import asked, lock_of, manifest_of, only, package, results, waiver
from cuvee.channel.model import Absent
from cuvee.graph.checks import CheckOutcome, Status
from cuvee.graph.diff.readers import read_snapshot
from cuvee.graph.findings import Verdict
from cuvee.lock.model import Lock
from cuvee.manifest.model import Manifest, PlatformEntry, Policy, Requirement

OLD = lock_of(
    package("top", "1.4", depends=("low",)), package("low", "2.1"), package("gone", "1.0"), package("spare")
)
ASKED = (asked("top", "1.*"), asked("gone"))


def release(version: str, *requirements: Requirement, base: str = "2026.11.0", **changes: Any) -> Manifest:
    return manifest_of(
        *requirements or ASKED, version=version, base=manifest_of(*ASKED, version=base), **changes
    )


def changes(new: Lock, manifest: Manifest | None = None, **graph: Any) -> CheckOutcome:
    return results(new, manifest or release("2026.11.1"), **({"base": OLD} | graph))["changes"]


def changed(**versions: str | None) -> Lock:
    """Return the old lock with other versions, or without a package."""
    packages = {item.name: item for item in OLD.platforms[0].packages}
    for name, version in versions.items():
        if version is None:
            del packages[name]
        else:
            packages[name] = replace(packages.get(name, package(name)), version=version)
    return lock_of(*packages.values())


def test_an_unchanged_set_and_a_release_without_a_base_pass() -> None:
    assert changes(OLD).status is Status.PASS
    assert changes(changed(top="9"), manifest_of(*ASKED)).status is Status.PASS


@pytest.mark.parametrize(
    ("new", "kind"),
    [
        ({"top": "1.5"}, ""),
        ({"low": "2.2"}, ""),
        ({"low": "3.0"}, "major"),
        ({"low": "2.0"}, "downgrade"),
        ({"low": "1.0"}, "downgrade"),
        ({"top": "2.0"}, "major"),
        ({"top": "1.3"}, "downgrade"),
        ({"spare": None}, "remove"),
        ({"fresh": "1.0"}, "add"),
    ],
)
def test_what_a_patch_may_do_to_the_direct_set_and_to_the_closure(
    new: dict[str, str | None], kind: str
) -> None:
    result = changes(changed(**new))
    if not kind:
        assert result.status is Status.PASS
        assert not result.findings
        return
    finding = only(result)
    assert (finding.kind, finding.verdict) == (kind, Verdict.BLOCKED)
    assert finding.packages == tuple(new)


def test_a_calendar_version_of_a_new_year_is_no_major_one() -> None:
    old = lock_of(package("tzdata", "2025.2"))
    assert not changes(lock_of(package("tzdata", "2026.1")), base=old).findings


def test_rebuilds_and_metadata_are_changes_that_the_policy_may_refuse() -> None:
    packages = list(OLD.platforms[0].packages)
    rebuilt = lock_of(
        replace(packages[0], build="1"), replace(packages[1], license="BSD-3-Clause"), *packages[2:]
    )
    assert not changes(rebuilt).findings
    strict = release("2026.11.1", policy=Policy(patch=("upgrade",)))
    found = changes(rebuilt, strict).findings
    assert [(item.kind, item.packages) for item in found] == [("rebuild", ("low",)), ("rebuild", ("top",))]
    assert "metadata-changed" in found[0].evidence[0]


def test_the_policy_decides_for_a_patch() -> None:
    loose = release("2026.11.1", policy=Policy(patch=("upgrade", "major", "downgrade", "remove", "add")))
    assert not changes(changed(low="3.0", top="1.1", spare=None, fresh="1"), loose).findings
    none = release("2026.11.1", policy=Policy(patch=()))
    assert only(changes(changed(low="2.2"), none)).kind == "upgrade"


def test_the_direct_set_of_a_patch_stays_though_the_closure_does_not_change() -> None:
    found = changes(OLD, release("2026.11.1", asked("top"), asked("spare"))).findings
    assert [(item.kind, item.packages) for item in found] == [("remove", ("gone",)), ("add", ("spare",))]
    assert found[0].cause == "A patch release does not remove requested packages: gone"


def test_a_package_that_is_upgraded_and_no_longer_asked_for_has_left_the_set() -> None:
    finding = only(changes(changed(gone="1.1"), release("2026.11.1", asked("top"))))
    assert (finding.kind, finding.packages) == ("remove", ("gone",))


def test_what_cuvee_adds_for_its_installers_is_nobody_s_wish() -> None:
    decoder = asked("spare", reason="installers need a decoder")
    assert not changes(OLD, release("2026.11.1", *ASKED), additions=(decoder,)).findings


def test_a_package_that_comes_and_is_asked_for_is_one_finding() -> None:
    finding = only(changes(changed(fresh="1.0"), release("2026.11.1", *ASKED, asked("fresh"))))
    assert finding.cause == "A patch release does not add: fresh 1.0"


@pytest.mark.parametrize(
    ("version", "base", "kinds"),
    [
        ("2026.12.0", "2026.11.0", {"downgrade", "remove"}),
        ("2027.1.0", "2026.11.0", set()),
    ],
)
def test_months_and_years_may_do_more(version: str, base: str, kinds: set[str]) -> None:
    new = changed(top="1.1", low="1.0", gone=None, spare=None, fresh="5")
    result = changes(new, release(version, base=base))
    direct = {item.kind: item for item in result.findings if item.packages[0] in {"top", "gone"}}
    assert {item.kind for item in result.findings} == set(direct) == kinds
    assert {item.verdict for item in direct.values()} <= {Verdict.NEEDS_APPROVAL}


def test_the_evidence_says_what_forced_the_change() -> None:
    old = lock_of(package("top", "1.4", depends=("low <3",)), package("low", "2.1", depends=("base",)))
    new = lock_of(package("top", "1.5", depends=("low >=3",)), package("low", "3.0"))
    manifest = release("2026.11.1", asked("top", "==1.5"))
    base = replace(manifest, base=manifest_of(asked("top", "1.*")))
    finding = only(changes(new, base, base=old))
    assert finding.evidence == ("major change, indirect", "top depends on low >=3")


def test_a_waiver_covers_one_package() -> None:
    manifest = release("2026.11.1", waivers=(waiver("changes", package="low"),))
    found = changes(changed(low="3.0", top="1.1"), manifest).findings
    assert {item.packages: item.verdict for item in found} == {
        ("low",): Verdict.WAIVED,
        ("top",): Verdict.BLOCKED,
    }


def test_without_the_base_s_lock_it_is_skipped_and_does_not_pass() -> None:
    result = changes(OLD, base=None)
    assert result.status is Status.SKIPPED
    assert result.reason == (
        "the lock of tiny-2026.11.0 was not found, neither beside this release nor in reports/"
    )
    finding = only(result)
    assert (finding.kind, finding.verdict) == ("not-run", Verdict.NEEDS_APPROVAL)
    assert "`--base PATH`" in finding.action
    assert "`cuvee lock tiny/2026.11.0.yaml`" in finding.action


def test_how_much_a_skipped_check_matters_is_its_severity() -> None:
    verdicts = {
        severity: only(
            changes(OLD, release("2026.11.1", policy=Policy(checks={"changes": severity})), base=None)
        ).verdict
        for severity in ("info", "warning", "needs-approval", "blocked")
    }
    assert verdicts == {
        "info": Verdict.INFO,
        "warning": Verdict.WARNING,
        "needs-approval": Verdict.NEEDS_APPROVAL,
        "blocked": Verdict.NEEDS_APPROVAL,
    }


def test_a_waiver_approves_what_was_not_checked_unless_it_is_about_less() -> None:
    def verdict(**scope: str) -> Verdict:
        manifest = release("2026.11.1", waivers=(waiver("changes", **scope),))
        both = lock_of(*OLD.platforms[0].packages, package("top", platform="win-64"))
        return only(changes(both, manifest, base=None)).verdict

    assert verdict() is Verdict.WAIVED
    assert verdict(package="low") is verdict(platform="win-64") is Verdict.NEEDS_APPROVAL


def test_a_platform_that_the_base_s_lock_lacks_is_not_compared_and_the_others_are() -> None:
    new = lock_of(*changed(low="3.0").platforms[0].packages, package("top", platform="win-64"))
    result = changes(new)
    assert result.status is Status.SKIPPED
    refused, not_run = result.findings
    assert (refused.kind, refused.packages) == ("major", ("low",))
    assert not_run.cause == "Not checked: the lock of tiny-2026.11.0 has nothing for win-64"
    assert (not_run.verdict, not_run.platforms) == (Verdict.NEEDS_APPROVAL, ("win-64",))
    declared = manifest_of(*ASKED, platforms=(PlatformEntry(name="linux-64", floor={}),))
    fresh = replace(release("2026.11.1"), base=declared)
    assert only(changes(new, fresh)).kind == "major", "the base was never meant for win-64"


def test_a_platform_that_is_gone_is_one_finding_unless_the_run_did_not_ask_for_it() -> None:
    both = lock_of(*OLD.platforms[0].packages, package("top", platform="win-64"))
    finding = only(changes(OLD, base=both))
    assert finding.cause == "A patch release does not leave out a platform: win-64"
    chosen = Absent(platform="win-64", reason="this run did not ask for it", by_choice=True)
    assert not changes(OLD, base=both, absent=(chosen,)).findings


def test_the_rules_find_what_a_real_patch_release_did_to_its_base(shared_data: Path) -> None:
    """The changelog of that release calls two downgrades updates."""
    folder = shared_data / "sagemaker"
    day = dt.date(2026, 11, 22)
    old, new = (read_snapshot(folder / name / "cpu.env.out", today=day).lock for name in ("v4.1.0", "v4.1.1"))
    assert old is not None
    assert new is not None
    result = changes(new, release("2026.11.1", asked("jupyterlab")), base=old)
    found = {item.packages[0]: item.kind for item in result.findings if item.platforms == ("linux-64",)}
    assert found.pop("gone") == "remove"
    assert found.pop("top") == "remove"
    assert found.pop("jupyterlab") == "add"
    assert found == {
        "coloredlogs": "remove",
        "google-api-core-grpc": "remove",
        "google-cloud-bigquery-core": "downgrade",
        "harfbuzz": "downgrade",
        "humanfriendly": "remove",
    }


def test_two_pins_that_move_are_what_a_patch_is_for() -> None:
    old = lock_of(package("lxml", "6.1.2"), package("requests", "2.34.1"))
    new = lock_of(package("lxml", "6.1.3"), package("requests", "2.34.2"))
    pins = (asked("lxml", "==6.1.3"), asked("requests", "==2.34.2"))
    base = manifest_of(asked("lxml", "==6.1.2"), asked("requests", "==2.34.1"))
    assert not changes(new, manifest_of(*pins, version="2026.11.1", base=base), base=old).findings
