"""Whether enough people have approved exactly these bytes: its algebra, and what an adversary tries."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approving import NOON, SUBJECTS, TODAY, approval, approver, policy, request
from cuvee.approvals.approval_policy import ROLES, Approver
from cuvee.approvals.dsse import Envelope
from cuvee.approvals.quorum import Quorum, judge_quorum, lacking

ADA, BO, CY = approver("ada"), approver("bo", "other", ("qa",)), approver("cy", "other", ("security",))
LIST = policy(ADA, BO, CY, count=2, organisations=2)


def problems(quorum: Quorum) -> str:
    return " | ".join(f"{item.source}: {item.problem}" for item in quorum.judged if item.problem)


def handles(people: tuple[Approver, ...]) -> list[str]:
    return [item.handle for item in people]


def test_enough_people_of_enough_organisations() -> None:
    none = judge_quorum(LIST, request(), [])
    assert none.missing == ("2 more people", "2 more organisations")
    assert handles(none.open) == ["ada", "bo", "cy"]
    same = judge_quorum(LIST, request(), [approval("bo"), approval("cy")])
    assert same.missing == ("1 more organisation",)
    assert handles(same.open) == ["ada"]
    both = judge_quorum(LIST, request(), [approval("cy"), approval("ada")])
    assert both.is_reached
    assert handles(both.approved) == ["ada", "cy"]
    assert not problems(both)


def test_roles_by_level_and_by_what_was_waived() -> None:
    rules = replace(
        LIST, roles={"month": ("release",)}, waivers={"licenses": ("security",), "smoke/*": ("qa",)}
    )
    files = [approval("bo"), approval("ada")]
    assert judge_quorum(rules, request(), files).is_reached
    assert judge_quorum(rules, request(level="patch"), files).is_reached
    assert judge_quorum(rules, request(level="patch"), [approval("bo")]).missing == (
        "1 more person",
        "1 more organisation",
    )
    waived = request(accepted=("licenses",))
    assert judge_quorum(rules, waived, files).missing == ("a person with the role security",)
    assert judge_quorum(rules, waived, [*files, approval("cy")]).is_reached
    test = request(accepted=("smoke/import:numpy",))
    assert judge_quorum(rules, test, [approval("ada"), approval("cy")]).missing == (
        "a person with the role qa",
    )


def test_a_forged_approval_does_not_count() -> None:
    name, data = approval("mallory")
    found = judge_quorum(LIST, request(), [(name, data)])
    assert "no person of the list has signed it" in problems(found)
    # The name of a listed key, which nothing vouches for, does not help.
    members = json.loads(data)
    members["signatures"][0]["keyid"] = ADA.person.public.fingerprint
    found = judge_quorum(LIST, request(), [(name, json.dumps(members).encode())])
    assert "no person of the list has signed it" in problems(found)


@pytest.mark.parametrize("place", range(0, 600, 7))
def test_a_changed_approval_does_not_count(place: int) -> None:
    name, data = approval("ada")
    changed = bytearray(data)
    changed[place % len(data)] ^= 1
    before, after = (judge_quorum(LIST, request(), [(name, item)]) for item in (data, bytes(changed)))
    assert handles(before.approved) == ["ada"]
    # What is not signed, such as the name of the key, may change; nothing else counts.
    if after.approved:
        assert Envelope.parse(bytes(changed)).signed == Envelope.parse(data).signed


def test_an_approval_of_other_bytes_says_which_digest_differs() -> None:
    there = {"lock/pixi.lock": "c" * 64, "new": "d" * 64}
    found = judge_quorum(LIST, request(subjects=there), [approval("ada")])
    text = problems(found)
    assert not found.approved
    assert f"lock/pixi.lock has the SHA-256 {'c' * 64}, and {'a' * 64} was approved" in text
    assert "checks/findings.json was approved and is gone" in text
    assert "new was not approved" in text
    many = {f"file-{number}": "e" * 64 for number in range(100)}
    assert "and 94 more" in problems(judge_quorum(LIST, request(subjects=many), [approval("ada")]))


def test_an_approval_of_another_release_is_not_replayed() -> None:
    found = judge_quorum(LIST, request(), [approval("ada", release="lab-2026.10.0")])
    assert "it approves lab-2026.10.0, not lab-2026.11.0" in problems(found)


def test_one_key_under_two_names_is_one_person() -> None:
    twice = policy(ADA, approver("zoe", "other", key="ada"), BO, count=2, organisations=2)
    found = judge_quorum(twice, request(), [approval("ada"), ("again.json", approval("ada")[1])])
    assert handles(found.approved) == ["ada"]
    assert found.missing == ("1 more person", "1 more organisation")
    # Two signatures of one key in one envelope, under two key ids, are one.
    name, data = approval("ada")
    members = json.loads(data)
    members["signatures"].append(members["signatures"][0] | {"keyid": "another"})
    found = judge_quorum(twice, request(), [(name, json.dumps(members).encode())])
    assert handles(found.approved) == ["ada"]


def test_who_was_removed_does_not_count() -> None:
    found = judge_quorum(policy(BO, CY), request(), [approval("ada"), approval("bo")])
    assert handles(found.approved) == ["bo"]
    assert "no person of the list" in problems(found)


def test_a_key_that_was_revoked_does_not_count() -> None:
    revoked = frozenset({ADA.person.public.fingerprint})
    found = judge_quorum(LIST, request(revoked=revoked), [approval("ada"), approval("bo")])
    assert "ada.json: the key of Ada was revoked" in problems(found)
    assert "1 more organisation would be needed, and the key of Ada was revoked" in found.impossible


def test_a_quorum_that_cannot_be_reached_says_whose_key_expired() -> None:
    old = policy(approver("ada", until=dt.date(2026, 11, 29)), BO, count=2)
    found = judge_quorum(old, request(), [approval("ada"), approval("bo")])
    assert "ada.json: the key of Ada expired on 2026-11-29" in problems(found)
    assert found.impossible == "1 more person would be needed, and the key of Ada expired on 2026-11-29"
    young = policy(approver("ada", since=dt.date(2026, 12, 24)), BO, count=2)
    assert "counts only from 2026-12-24" in judge_quorum(young, request(), []).impossible
    last = policy(approver("ada", since=TODAY, until=TODAY), BO, count=2)
    assert judge_quorum(last, request(), [approval("ada"), approval("bo")]).is_reached


def test_a_clock_that_is_years_off_is_named() -> None:
    ahead = NOON.replace(year=2031)
    found = judge_quorum(LIST, request(), [approval("ada", time=ahead)])
    assert "it is dated 2031-11-30, after today (2026-11-30): one of the clocks is wrong" in problems(found)
    behind = judge_quorum(LIST, request(), [approval("ada", time=NOON.replace(year=1999))])
    assert "it is dated 1999-11-30, and the key of Ada counts from 2026-01-01" in problems(behind)
    assert judge_quorum(LIST, request(), [approval("ada", time=NOON + dt.timedelta(hours=20))]).approved


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"payload": "", "payloadType": "x", "signatures": []}'],
    ids=["empty", "list", "object", "bytes", "deep", "unsigned"],
)
def test_what_is_no_envelope_is_told(data: bytes) -> None:
    found = judge_quorum(LIST, request(), [("x.json", data), approval("ada")])
    assert problems(found).startswith("x.json: it is not")
    assert handles(found.approved) == ["ada"]


PEOPLE = tuple(
    approver(f"person{number}", ("acme", "other", "third")[number % 3], (ROLES[number % 3],))
    for number in range(5)
)
FILES = {item.handle: approval(item.handle) for item in PEOPLE}


@given(
    st.lists(st.sampled_from([item.handle for item in PEOPLE]), max_size=8),
    st.integers(1, 5),
    st.integers(1, 3),
    st.lists(st.sampled_from(ROLES), max_size=2, unique=True),
)
def test_the_quorum_is_a_count_of_distinct_people(
    signed: list[str], count: int, organisations: int, roles: list[str]
) -> None:
    rules = policy(*PEOPLE, count=count, organisations=organisations, roles={"month": tuple(roles)})
    found = judge_quorum(rules, request(), [FILES[handle] for handle in signed])
    who = {item for item in PEOPLE if item.handle in signed}
    expected = (
        len(who) >= count
        and len({item.person.organisation for item in who}) >= organisations
        and {role for item in who for role in item.roles} >= set(roles)
    )
    assert found.is_reached is expected
    # Order and repetition change nothing, one more approval never takes a quorum away, and who is named as
    # missing can complete it.
    assert (
        judge_quorum(rules, request(), [FILES[handle] for handle in reversed(signed)]).missing
        == found.missing
    )
    for item in found.open:
        more = judge_quorum(rules, request(), [*(FILES[handle] for handle in signed), FILES[item.handle]])
        assert more.is_reached or not found.is_reached
    assert lacking(rules, request(), (*found.approved, *found.open)) == () or found.impossible


def test_subjects_are_compared_whole() -> None:
    fewer = dict(list(SUBJECTS.items())[:1])
    assert judge_quorum(LIST, request(subjects=fewer), [approval("ada")]).approved == ()
    assert judge_quorum(LIST, request(), [approval("ada", subjects=fewer)]).approved == ()
