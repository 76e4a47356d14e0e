"""Writing and reading ``results/<platform>/``: ``outcomes.json``, ``junit.xml`` and ``logs/``."""

import json
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from cuvee.errors import IntegrityError
from cuvee.files import write_bytes, write_json
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome

OUTCOMES = "outcomes.json"
JUNIT = "junit.xml"

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
    write_json(folder / OUTCOMES, run_to_json(run))
    write_bytes(folder / JUNIT, junit(run))


def read_run(folder: Path) -> PlatformRun:
    """Read what `write_run` wrote.

    Raises
    ------
    IntegrityError
        If it is missing or is not what cuvee writes.
    """
    path = folder / OUTCOMES
    try:
        return run_from_json(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            f"The results in {path} can not be read: {error}", hint="Remove them and run the tests again."
        ) from error


def run_to_json(run: PlatformRun) -> dict[str, Any]:
    """Give a run as JSON values."""
    return {
        "platform": run.platform,
        "runner": run.runner,
        "not_run": run.not_run,
        "environment": dict(run.environment),
        "outcomes": [
            {
                "suite": outcome.suite,
                "test": outcome.test,
                "state": outcome.state.value,
                "seconds": outcome.seconds,
                "package": outcome.package,
                "packages": list(outcome.packages),
                "reason": outcome.reason,
                "log": outcome.log,
            }
            for outcome in run.outcomes
        ],
    }


def run_from_json(value: Any) -> PlatformRun:
    """Read what `run_to_json` gave; raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    return PlatformRun(
        platform=value["platform"],
        runner=value["runner"],
        not_run=value["not_run"],
        environment={str(key): str(text) for key, text in value["environment"].items()},
        outcomes=tuple(
            TestOutcome(
                suite=entry["suite"],
                test=entry["test"],
                platform=value["platform"],
                state=OutcomeState(entry["state"]),
                seconds=float(entry["seconds"]),
                package=entry["package"],
                packages=tuple(entry["packages"]),
                reason=entry["reason"],
                log=entry["log"],
            )
            for entry in value["outcomes"]
        ),
    )


def junit(run: PlatformRun) -> bytes:
    """Give a run as JUnit XML, one ``testsuite`` per suite, in the order of the outcomes."""
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
