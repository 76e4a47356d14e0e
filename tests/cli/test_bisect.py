"""``cuvee bisect`` in the terminal."""

from dataclasses import replace

from cuvee.cli.bisect import bisection_lines
from cuvee.integration.outcomes import OutcomeState
from cuvee.release.bisect_release import (
    Bisection,
    BlamedChange,
    ExchangedPackage,
    TriedMixture,
    tried_line,
)

NUMPY = ExchangedPackage(name="numpy", before="2", after="3")
FOUND = Bisection(
    old="tiny-2026.10.0",
    new="tiny-2026.11.0",
    platform="linux-64",
    runner="native",
    test="smoke/import:pandas",
    changed=9,
    units=8,
    culprits=(BlamedChange(packages=(NUMPY,)),),
    tried=(
        TriedMixture(taken=(), state=OutcomeState.PASS, reason="", cached=True),
        TriedMixture(taken=("numpy",), state=OutcomeState.FAIL, reason="boom", cached=False),
    ),
)


def test_one_package_is_named() -> None:
    assert bisection_lines(FOUND) == [
        "smoke/import:pandas passes in tiny-2026.10.0 and fails in tiny-2026.11.0 on linux-64 (native)",
        "packages that differ: 9; trials: 2, 1 of them cached",
        "It fails because of this change:",
        "  numpy 2 → 3",
    ]


def test_each_kind_of_answer_is_said() -> None:
    added = ExchangedPackage(name="tzdata", before="", after="2026a")
    gone = ExchangedPackage(name="six", before="1", after="")
    culprits = (
        BlamedChange(packages=(NUMPY, gone), needs=("a",)),
        BlamedChange(packages=(added, NUMPY), alternatives=True),
    )
    assert bisection_lines(replace(FOUND, culprits=culprits))[2:] == [
        "It fails with these changes together, and passes without any one of them:",
        "  numpy 2 → 3 and six 1 (removed) (they can only be changed together), which needs the changes of a",
        "  tzdata 2026a (added) or numpy 2 → 3 (trials between them gave no clear result)",
    ]  # fmt: skip


def test_each_trial_has_a_line() -> None:
    first, second = FOUND.tried
    assert tried_line(first, 1, 9) == "1. none of 9 changes: pass, tried before"
    assert tried_line(second, 2, 9) == "2. 1 of 9 changes (numpy): fail: boom"
    assert tried_line(replace(second, taken=("a", "b")), 3, 2) == "3. all of 2 changes: fail: boom"
