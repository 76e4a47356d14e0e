"""What forced a change: each way, through how many, and that nothing is said without a reason."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checked_sets import asked, lock_of, package
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.diff import ChangeReason, Force, diff, with_reasons
from cuvee.graph.diff.compare import compare
from cuvee.graph.diff.readers import read_snapshot
from cuvee.graph.release_graph import meets
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import write_lock
from cuvee.manifest.model import Requirement


def reasons(
    old: Lock, new: Lock, *wishes: Requirement, before: tuple[Requirement, ...] = ()
) -> dict[str, list[str]]:
    requested = {item.name for item in (*wishes, *before)}
    changes = with_reasons(
        diff(old, new, requested_after=requested),
        old,
        new,
        requirements_before=before,
        requirements_after=wishes,
    )
    return {change.package: [reason.sentence for reason in change.forced_by] for change in changes}


def test_a_pin_of_the_manifest() -> None:
    found = reasons(lock_of(package("a")), lock_of(package("a", "1.1")), asked("a", "==1.1"))
    assert found == {"a": ["the manifest requests a ==1.1"]}


def test_what_nothing_requires_has_no_reason() -> None:
    found = reasons(lock_of(package("a")), lock_of(package("a", "1.1")), asked("a", ">=1"))
    assert found == {"a": []}


def test_a_chain_leads_to_what_people_ask_for_by_the_shortest_way() -> None:
    old = lock_of(
        package("top", "1", depends=("mid <2",)),
        package("mid", "1", depends=("low <2",)),
        package("low", "1"),
    )
    new = lock_of(
        package("top", "2", depends=("mid >=2",)),
        package("mid", "2", depends=("low >=2",)),
        package("low", "2"),
    )
    found = reasons(old, new, asked("top", "2"))
    assert found["top"][0] == "the manifest requests top 2"
    assert found["mid"][0] == "top depends on mid >=2"
    assert found["low"][0] == "mid depends on low >=2, through top"


def test_the_old_build_does_not_fit_what_is_there_now() -> None:
    old = lock_of(package("python", "3.11"), package("ext", build="py311", depends=("python 3.11.*",)))
    new = lock_of(package("python", "3.12"), package("ext", build="py312", depends=("python 3.12.*",)))
    found = reasons(old, new, asked("python", "3.12.*"))
    assert found["ext"] == ["the version before depends on python 3.11.*, and python has changed"]
    assert found["python"][:2] == ["the manifest requests python 3.12.*", "ext depends on python 3.12.*"]


def test_a_bound_of_another_package() -> None:
    old = lock_of(package("a", "1"), package("b", "2"))
    new = lock_of(package("a", "2", constrains=("b <2",)), package("b", "1"))
    assert reasons(old, new, asked("a", "2"))["b"] == ["a constrains b <2"]


def test_who_brings_a_package_and_who_lets_it_go() -> None:
    old = lock_of(package("top", "1", depends=("gone",)), package("gone"))
    new = lock_of(package("top", "2", depends=("fresh",)), package("fresh"))
    found = reasons(old, new, asked("top", "2"), before=(asked("gone"),))
    assert found["fresh"] == ["top depends on fresh"]
    assert found["gone"] == ["the manifest no longer requires gone *", "top no longer requires gone"]


def test_a_package_whose_record_still_asks_for_what_was_removed_has_not_let_it_go() -> None:
    old = lock_of(
        package("dask", depends=("click >=8",)), package("flask", depends=("click",)), package("click", "8")
    )
    new = lock_of(package("dask", "1.1", depends=("click >=8.1",)), package("flask", "2"))
    assert reasons(old, new)["click"] == [
        "flask no longer requires click", "although dask still depends on click >=8.1"
    ]  # fmt: skip
    without = lock_of(package("dask", depends=("click >=8",)))
    assert reasons(old, without)["click"] == [
        "flask, which depends on click, was removed", "although dask still depends on click >=8"
    ]  # fmt: skip


def test_platforms_that_agree_share_their_reasons() -> None:
    def side(version: str) -> Lock:
        return lock_of(
            *(
                package(name, version, platform=platform, depends=(f"b {version}.*",) if name == "a" else ())
                for platform in ("linux-64", "win-64")
                for name in "ab"
            )
        )

    assert reasons(side("1"), side("2"), asked("a", "2.*"))["b"] == ["a depends on b 2.*"]


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    specs = st.lists(st.sampled_from(["a", "b >=2", "c <2", "d", "b 1.*", "!!", "__glibc"]), max_size=3)
    return lock_of(
        *(
            package(name, draw(st.sampled_from(["1", "2"])), depends=tuple(draw(specs)))
            for name in sorted(draw(st.sets(st.sampled_from("abcd"), min_size=1)))
        )
    )


@given(locks(), locks())
def test_every_reason_is_true_and_nothing_else_changes(old: Lock, new: Lock) -> None:
    plain = diff(old, new)
    found = with_reasons(plain, old, new)
    assert [(item.package, item.kind, item.per_platform) for item in found] == [
        (item.package, item.kind, item.per_platform) for item in plain
    ]
    for item in found:
        for reason in item.forced_by:
            for step in item.per_platform:
                assert is_true(reason, step.before, new), reason


def is_true(reason: ChangeReason, before: LockedPackage | None, new: Lock) -> bool:
    names = new.platforms[0].by_name
    if reason.force in {Force.DROPPED, Force.GONE, Force.STILL}:
        assert before is not None
        parent = names.get(reason.package)
        asks = parent is not None and before.name in {text.split()[0] for text in parent.depends}
        return asks == (reason.force is Force.STILL) and (parent is None) == (reason.force is Force.GONE)
    if reason.force is Force.OWN:
        return (
            before is not None
            and reason.spec in before.depends
            and not meets(reason.spec, names[reason.package])
        )
    states = reason.spec in names[reason.package].depends
    return states and (before is None or not meets(reason.spec, before))


@pytest.mark.parametrize("platform", [None, "linux-64"])
def test_a_release_does_not_differ_from_itself(tmp_path: Path, platform: str | None) -> None:
    write_lock(
        lock_of(package("a")),
        tmp_path / "lock" / "pixi.lock",
        channels=(),
        own_channel="https://example.org/own",
    )
    one = read_snapshot(tmp_path, today=dt.date(2026, 11, 22))
    assert compare(one, one, platform=platform).changes == ()
