"""Reading JUnit XML that another program wrote: https://github.com/testmoapp/junitxml."""

import math
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

from cuvee.integration.outcomes import OutcomeState

_LARGEST = 50_000_000
_STATES = {"failure": OutcomeState.FAIL, "error": OutcomeState.FAIL, "skipped": OutcomeState.SKIPPED}


class BrokenJUnitError(ValueError):
    """A file that should be JUnit XML is not; the text says why, to follow the name of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JUnitCase:
    """One test case, named by its class and itself; ``seconds`` is 0 where the file does not say."""

    name: str
    state: OutcomeState
    seconds: float = 0.0
    reason: str = ""
    detail: str = ""


def read_junit(path: Path) -> tuple[JUnitCase, ...]:
    """Return the test cases of a file; the second one of a name gets the number 2.

    Raises
    ------
    BrokenJUnitError
        If there is no such file, or it is not JUnit XML.
    """
    if not path.is_file():  # a pipe would be waited for
        raise BrokenJUnitError("was not written")
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise BrokenJUnitError(f"cannot be read: {error.strerror}") from error
    if len(data) > _LARGEST:
        raise BrokenJUnitError(f"is larger than {_LARGEST / 1e6:.0f} MB")
    return parse_junit(data)


def parse_junit(data: bytes) -> tuple[JUnitCase, ...]:
    """Return the test cases of a document.

    Raises
    ------
    BrokenJUnitError
        If it is not JUnit XML. Entities of its own are refused: they can make a small file huge.
    """
    plain = data.replace(b"\0", b"")  # UTF-16
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise BrokenJUnitError("has a document type, which JUnit does not need")
    try:
        root = ET.fromstring(data)  # noqa: S314 - it declares no entities
    except (ET.ParseError, ValueError, LookupError) as error:
        raise BrokenJUnitError(f"is not XML: {error}") from error
    if root.tag not in {"testsuites", "testsuite"}:
        raise BrokenJUnitError(f"has <{root.tag}>, and no <testsuites>")
    cases = [_case(element) for element in root.iter("testcase")]
    if not cases:
        raise BrokenJUnitError("has no test case")
    seen: Counter[str] = Counter()
    named = []
    for case in cases:
        seen[case.name] += 1
        number = seen[case.name]
        named.append(case if number == 1 else replace(case, name=f"{case.name} ({number})"))
    return tuple(named)


def _case(element: ET.Element) -> JUnitCase:
    name = ".".join(filter(None, (element.get("classname"), element.get("name"))))
    if not name:
        raise BrokenJUnitError("has a test case without a name")
    for child in element:
        if child.tag in _STATES:
            text = (child.text or "").strip()
            message = child.get("message") or (text.splitlines() or [child.tag])[0]
            return JUnitCase(
                name=name,
                state=_STATES[child.tag],
                seconds=_seconds(element),
                reason=message,
                detail=text or message,
            )
    return JUnitCase(name=name, state=OutcomeState.PASS, seconds=_seconds(element))


def _seconds(element: ET.Element) -> float:
    text = (element.get("time") or "0").replace(",", "")
    try:
        seconds = float(text)
    except ValueError as error:
        raise BrokenJUnitError(f"has a test case of {text!r} seconds") from error
    return seconds if math.isfinite(seconds) and seconds >= 0 else 0.0
