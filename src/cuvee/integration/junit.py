"""A run as JUnit XML, the form that CI servers read.

Its elements and attributes are those of https://github.com/testmoapp/junitxml.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome

# https://www.w3.org/TR/xml/#charsets
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {
    OutcomeState.FAIL: "failure",
    OutcomeState.REGRESSION: "failure",
    OutcomeState.TIMEOUT: "failure",
    OutcomeState.INFRA_ERROR: "error",
    OutcomeState.PASS: "",
    OutcomeState.FLAKY: "",
}
"""JUnit knows four results; whatever neither passed nor failed is skipped, with its state in the message."""


def junit(run: PlatformRun) -> bytes:
    """Return a run as JUnit XML, one ``testsuite`` per suite, in the order of the outcomes."""
    root = ET.Element("testsuites", name=f"cuvee {run.platform}")
    for suite, outcomes in groupby(run.outcomes, key=lambda outcome: outcome.suite):
        _suite(root, suite, run, tuple(outcomes))
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _suite(root: ET.Element, name: str, run: PlatformRun, outcomes: Sequence[TestOutcome]) -> None:
    tags = [_TAGS.get(outcome.state, "skipped") for outcome in outcomes]
    element = ET.SubElement(
        root,
        "testsuite",
        name=name,
        hostname=run.platform,
        tests=str(len(outcomes)),
        failures=str(tags.count("failure")),
        errors=str(tags.count("error")),
        skipped=str(tags.count("skipped")),
        time=f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    )
    for outcome, tag in zip(outcomes, tags, strict=True):
        case = ET.SubElement(
            element,
            "testcase",
            classname=_clean(f"{name}.{outcome.package}" if outcome.package else name),
            name=_clean(outcome.test),
            time=f"{outcome.seconds:.3f}",
        )
        message = f"{outcome.state.value}: {outcome.reason}" if outcome.reason else outcome.state.value
        if tag:
            ET.SubElement(case, tag, message=_clean(message), type=outcome.state.value)
        elif outcome.reason:
            ET.SubElement(case, "system-out").text = _clean(message)
        if outcome.log:
            properties = ET.Element("properties")
            ET.SubElement(properties, "property", name="log", value=_clean(outcome.log))
            case.insert(0, properties)


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
