"""Writing and reading ``results/<platform>/``: ``outcomes.json``, ``junit.xml`` and ``logs/``."""

import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from cuvee.codec import Document
from cuvee.files import write_bytes
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome

OUTCOMES = "outcomes.json"
JUNIT = "junit.xml"

_DOCUMENT = Document(name="platform-run", kind=PlatformRun)
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


def write_run(folder: Path, run: PlatformRun) -> None:
    """Write ``outcomes.json`` and ``junit.xml`` into ``folder``."""
    _DOCUMENT.write(folder / OUTCOMES, run)
    write_bytes(folder / JUNIT, junit(run))


def read_run(folder: Path) -> PlatformRun:
    """Return the run that `write_run` wrote into ``folder``.

    Raises
    ------
    SourceUnreachableError
        If there is none.
    IntegrityError
        If it is not what cuvee writes.
    """
    return _DOCUMENT.read(folder / OUTCOMES)


def parse_run(data: bytes, *, source: str) -> PlatformRun:
    """Return the run of an ``outcomes.json``; errors name it ``source``, see `read_run`."""
    return _DOCUMENT.from_bytes(data, source=source)


def junit(run: PlatformRun) -> bytes:
    """Return a run as JUnit XML, one ``testsuite`` per suite, in the order of the outcomes.

    CI servers read it; its elements and attributes are those of https://github.com/testmoapp/junitxml.
    """
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
