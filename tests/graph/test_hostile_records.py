"""Whatever a lock says, checking it ends with findings."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from checked_sets import asked, lock_of, manifest_of, package
from cuvee.graph.checks import ALL_CHECKS, Status, run_checks
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import build_graph
from cuvee.lock.model import Lock
from cuvee.manifest.model import AgePolicy, LicensePolicy, Policy

WORDS = st.text(max_size=12) | st.sampled_from(
    ["a", "b", "A", "__glibc", "1.0", "1..0", "*", "a >=1,<", "a[version='", "conda-forge::a", "../a",
     "a b c d", "python_abi", "blas", "MIT OR", "(" * 50, "\x1b[31m", "https://u:p@x/t/s/c"]
)  # fmt: skip
LISTS = st.lists(WORDS, max_size=3).map(tuple)
POLICY = Policy(
    licenses=LicensePolicy(allow=("MIT",), deny=("GPL-2.0-only",)),
    age=AgePolicy(at_least=1, at_most=10),
    checks={"parity": "blocked"},
)
MANIFEST = manifest_of(asked("a", ">=1"), asked("b", owner=None), policy=POLICY, channels=("conda-forge",))


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    packages = [
        replace(
            package("a", platform=draw(st.sampled_from(["linux-64", "linux-aarch64", "win-64"]))),
            name=draw(WORDS), version=draw(WORDS), build=draw(WORDS), subdir=draw(WORDS), url=draw(WORDS),
            channel=draw(WORDS), build_number=draw(st.integers()), timestamp=draw(st.none() | st.integers()),
            depends=draw(LISTS), constrains=draw(LISTS), license=draw(st.none() | WORDS),
            track_features=draw(LISTS), sha256=draw(WORDS), md5=draw(st.none() | WORDS),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]  # fmt: skip
    return lock_of(*packages)


@settings(max_examples=60)
@given(locks(), locks())
def test_no_lock_ends_in_a_traceback(one: Lock, two: Lock) -> None:
    manifest = manifest_of(*MANIFEST.packages, version="2026.11.1", base=MANIFEST, policy=POLICY)
    release = build_graph(manifest, one, base=two)
    found = run_checks(release, ALL_CHECKS)
    assert [result.identifier for result in found] == [check.identifier for check in ALL_CHECKS]
    broken = [item for result in found for item in result.findings if "could not be finished" in item.cause]
    assert all(item.verdict is Verdict.BLOCKED for item in broken)
    assert {result.identifier for result in found if result.status is not Status.SKIPPED}


@settings(max_examples=40)
@given(locks())
def test_checks_meet_hostile_records_with_findings_of_their_own(one: Lock) -> None:
    """No check needs to be caught: each knows what it cannot read."""
    release = build_graph(MANIFEST, one)
    found = run_checks(release, ALL_CHECKS)
    assert not [
        item.evidence for result in found for item in result.findings if "not be finished" in item.cause
    ]
