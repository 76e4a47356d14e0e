"""JUnit XML of other programs is read, or said to be broken; nothing in it is believed too much."""

import os
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.integration.junit_reader import BrokenJUnitError, parse_junit, read_junit
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.results_folder import junit

SAMPLE = b"""<testsuites><testsuite name="s">
<testcase classname="a.b" name="good" time="1,000.5"/>
<testcase classname="a.b" name="bad"><failure message="numbers differ">trace
back</failure></testcase>
<testcase classname="a.b" name="worse"><error>boom
more</error></testcase>
<testcase name="left out"><skipped message="no reason"/></testcase>
<testcase classname="a.b" name="good"/>
</testsuite></testsuites>"""


def test_every_result_is_read() -> None:
    assert [(case.name, case.state.value, case.reason) for case in parse_junit(SAMPLE)] == [
        ("a.b.good", "pass", ""),
        ("a.b.bad", "fail", "numbers differ"),
        ("a.b.worse", "fail", "boom"),
        ("left out", "skipped", "no reason"),
        ("a.b.good (2)", "pass", ""),
    ]
    assert parse_junit(SAMPLE)[0].seconds == 1000.5


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is not XML"),
        (b"<testsuite><testcase", "is not XML"),
        (b"<html/>", "has <html>, and no <testsuites>"),
        (b"<testsuite/>", "has no test case"),
        (b"<testsuite><testcase/></testsuite>", "a test case without a name"),
        (b'<testsuite><testcase name="a" time="soon"/></testsuite>', "of 'soon' seconds"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><testsuite/>', "has a document type"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><testsuite/>'.encode("utf-16"), "document type"),
        (b'<?xml version="1.0" encoding="nope"?><testsuite/>', "is not XML"),
    ],
)
def test_what_is_broken_is_said(data: bytes, why: str) -> None:
    with pytest.raises(BrokenJUnitError, match=why):
        parse_junit(data)


def test_no_file_and_a_pipe_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "none"):
        with pytest.raises(BrokenJUnitError, match="was not written"):
            read_junit(tmp_path / name)


@given(st.binary(max_size=40), st.integers(0, len(SAMPLE)))
def test_damage_is_read_or_refused(noise: bytes, at: int) -> None:
    try:
        cases = parse_junit(SAMPLE[:at] + noise + SAMPLE[at:])
    except BrokenJUnitError:
        return
    assert cases


@given(st.text(min_size=1))
def test_our_own_is_read_again(name: str) -> None:
    outcome = TestOutcome(
        suite="s", test=f"t{name}", platform="linux-64", state=OutcomeState.FAIL, reason="r"
    )
    data = junit(PlatformRun(platform="linux-64", runner="native", outcomes=(outcome,)))
    (case,) = parse_junit(data)
    assert case.state is OutcomeState.FAIL
    assert case.name.startswith("s.t")
    assert quoteattr(case.name)
