"""Run pytest in the installed release and write down each test's result as it happens.

Usage: ``python run_pytest.py SPEC.json``. Keys of the spec:

``arguments``   files, and options of pytest
``modules``     modules to run by import name; one that is not shipped is reported as ``absent``
``base``        the folder that test names are relative to; "" for where the modules were installed
``only, skip``  names of tests; ``only`` may be null for all, and a test in it stands for its cases
``timeout``     seconds that one test may take
``events``      the file to append to, one JSON object per line
``crash``       the file for the interpreter's stack at a crash or at a timeout

Each line is flushed when it is written, so that a crash loses nothing but the crashed test's result, and a
test that started without a result is the one that crashed.
"""

from __future__ import annotations  # for releases with an old Python

import faulthandler
import importlib.util
import json
import os
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any, TextIO

import pytest

_LONGEST = 200_000


class Recorder:
    def __init__(self, spec: dict[str, Any], events: TextIO, crash: TextIO) -> None:
        self.only = None if spec["only"] is None else set(spec["only"])
        self.skip = set(spec["skip"])
        self.base = spec["base"] or sysconfig.get_path("purelib")
        self.timeout = spec["timeout"]
        self.events, self.crash = events, crash
        self.results: dict[str, dict[str, Any]] = {}
        self.names: dict[str, str] = {}
        self.root = Path()

    def write(self, kind: str, **values: object) -> None:
        self.events.write(json.dumps({"event": kind, **values}) + "\n")
        self.events.flush()

    def watch(self) -> None:
        """Begin to count a test's seconds; works even when the test blocks the interpreter."""
        faulthandler.dump_traceback_later(self.timeout, exit=True, file=self.crash)

    def name(self, nodeid: str, path: str | os.PathLike[str]) -> str:
        parts = nodeid.split("::")[1:]
        relative = os.path.relpath(str(path), self.base).replace(os.sep, "/")
        return "::".join([relative, *parts])

    def pytest_configure(self, config: pytest.Config) -> None:
        self.root = config.rootpath

    @pytest.hookimpl(trylast=True)  # after -k and --deselect have had their say
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            name = self.names[item.nodeid] = self.name(item.nodeid, item.path)
            wanted = self.only is None or name in self.only or name.partition("[")[0] in self.only
            chosen = wanted and name not in self.skip
            (kept if chosen else dropped).append(item)
        items[:] = kept
        if dropped:
            config.hook.pytest_deselected(items=dropped)
        self.write("collected", tests=[self.names[item.nodeid] for item in kept])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            path = report.nodeid.split("::")[0]
            self.write(
                "uncollectable",
                test=self.name("", self.root / path),
                detail=str(report.longrepr),
            )
        elif report.skipped and isinstance(report.longrepr, tuple):
            path, _, reason = report.longrepr
            self.write("skipped-file", test=self.name("", path), reason=str(reason))

    def pytest_runtest_logstart(self) -> None:
        self.watch()

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.write("start", test=self.names[item.nodeid])

    def pytest_runtest_makereport(self, item: pytest.Item) -> None:
        self.results.setdefault(item.nodeid, {"name": self.names[item.nodeid], "seconds": 0.0})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        result = self.results[report.nodeid]
        result["seconds"] += report.duration
        state, reason = _judge(report)
        if state and result.get("state") != "fail":
            result.update(state=state, reason=reason)
        if state == "fail":
            result["detail"] = result.get("detail", "") + _details(report)
        if report.when == "teardown":
            faulthandler.cancel_dump_traceback_later()
            self.write(
                "result",
                test=result["name"],
                state=result.get("state", "pass"),
                seconds=result["seconds"],
                reason=result.get("reason", ""),
                detail=result.get("detail", ""),
            )


def _judge(report: pytest.TestReport) -> tuple[str | None, str]:
    expected = getattr(report, "wasxfail", None)
    if report.skipped and expected is not None:
        return "expected-fail", str(expected)
    if report.skipped:
        longrepr = report.longrepr
        reason = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
        return "skipped", reason.removeprefix("Skipped: ")
    if report.failed:
        return "fail", _first_line(report)
    if expected is not None and report.when == "call":
        return "pass", f"passes, though the project expects it to fail: {expected}"
    return None, ""


def _first_line(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr)
    return (text.strip().splitlines() or ["failed"])[0][:300]


def _details(report: pytest.TestReport) -> str:
    sections = "".join(f"\n--- {title}\n{_shortened(content)}" for title, content in report.sections)
    return f"--- {report.when}\n{_shortened(report.longreprtext)}\n{sections}\n"


def _shortened(text: str) -> str:
    left_out = len(text) - _LONGEST
    if left_out <= 0:
        return text
    return f"{text[: _LONGEST // 2]}\n[… {left_out} characters left out …]\n{text[-_LONGEST // 2 :]}"


def _present(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except Exception:  # noqa: BLE001  the parent does not import; the smoke suite says why
        return False


def main(spec_path: str) -> int:
    spec = json.loads(Path(spec_path).read_text(encoding="utf-8"))
    with Path(spec["events"]).open("a", encoding="utf-8") as events, Path(spec["crash"]).open("w") as crash:
        recorder = Recorder(spec, events, crash)
        faulthandler.enable(file=crash)
        recorder.watch()
        modules = [module for module in spec["modules"] if _present(module)]
        for module in sorted(set(spec["modules"]) - set(modules)):
            recorder.write("absent", module=module)
        started = time.monotonic()
        code = 5
        if modules or not spec["modules"]:
            arguments = [*spec["arguments"], *(["--pyargs", *modules] if modules else [])]
            code = pytest.main(arguments, plugins=[recorder])
        faulthandler.cancel_dump_traceback_later()
        recorder.write("end", exit_code=int(code), seconds=time.monotonic() - started)
        faulthandler.disable()
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
