"""One test session: running programs in an installed release, and keeping their logs."""

import hashlib
import re
import shutil
import signal
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.files import write_text
from cuvee.integration.host_faults import host_fault
from cuvee.integration.model import USUAL_DISK, Plan, PlannedSuite, PlannedTest
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.repeat_budget import RepeatBudget
from cuvee.integration.riding_tools import RidingTools
from cuvee.integration.runners.protocol import SHARED, Command, Runner, Sandbox
from cuvee.integration.tool_paths import paths_with_tools, tool_program
from cuvee.integration.tool_sets import ToolsMissingError
from cuvee.process import Completed


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The work of one unit, which may run in parallel with others; ``unit`` is its name."""

    unit: str
    run: Callable[[], Sequence[TestOutcome]]

    def __call__(self) -> Sequence[TestOutcome]:
        """Run the unit's tests; return what became of each."""
        return self.run()


INSIDE = Path(__file__).parent / "inside"
LIMITED = 122
"""The exit code of a program that exceeded a limit of its suite, as ``inside/isolate.py`` has it."""

_LIMITED = re.compile(
    r"^isolate: limit of (memory|disk|processes) (\d+) (\d+)\s*\Z", flags=re.MULTILINE | re.ASCII
)
_MOST_PROCESSES = 500
MOST_OUTPUT = 10_000_000
_SHELL_SIGNAL = 128  # a shell's exit code for signal N is 128 + N
LONGEST_REASON = 300
_LONGEST_LOG = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSession:
    """An installed release, and what it takes to run its programs and keep their logs.

    ``logs`` is the folder ``results/<platform>``, ``work`` a temporary one in which each job makes its own,
    ``timeout`` the seconds that one test may take, ``repeats`` how many failed tests run again. If there
    are ``only`` some, pytest runs no other tests. Once ``stop`` is set, nothing is started any more.
    ``installer`` is the release's own; `None` if the prefix was made in another way.
    ``tools`` brings what the release lacks: the match specs ``riding`` are met by the release, or by what is
    in ``beside``, a prefix that programs see, too.
    """

    __test__ = False

    plan: Plan
    runner: Runner
    sandbox: Sandbox
    logs: Path
    work: Path
    timeout: float
    repeats: RepeatBudget = field(default_factory=RepeatBudget, repr=False)
    only: frozenset[str] = frozenset()
    installer: Path | None = None
    stop: threading.Event = field(default_factory=threading.Event, repr=False)
    tools: RidingTools | None = None
    riding: frozenset[str] = frozenset()
    beside: Path | None = None

    def folder(self, name: str) -> Path:
        """Make an empty folder for one process to work in."""
        path = self.work / safe_name(name)
        number = 1
        while path.exists():
            number += 1
            path = self.work / f"{safe_name(name)}-{number}"
        path.mkdir(parents=True)
        return path

    def copied(self, folder: Path, name: str, *, shared: bool = False) -> Path:
        """Copy a suite's folder to a new one, without what Python has compiled; jobs may share the copy."""
        copy = (replace(self, work=self.work / SHARED) if shared else self).folder(name)
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        return copy

    def for_suite(self, suite: PlannedSuite) -> "TestSession":
        """Return the session with the limits of a suite."""
        sandbox = replace(self.sandbox, network=suite.network, memory=suite.memory, disk=suite.disk)
        return replace(self, sandbox=sandbox, timeout=suite.timeout or self.timeout)

    def with_tools(self, specs: Collection[str]) -> "TestSession":
        """Return the session with tools beside the release that meet match specs, if the release does not.

        Raises
        ------
        ToolsMissingError
            If they cannot be had.
        """
        specs = self.riding | frozenset(specs)
        if not specs:
            return self
        if self.tools is None:
            raise ToolsMissingError(f"it needs {', '.join(sorted(specs))}, and nothing brings that here")
        found = self.tools.beside(specs, self.sandbox.prefix, self.runner.guest_path)
        return replace(self, riding=specs, beside=found)

    def has_tool(self, program: str) -> bool:
        """Whether a program rides beside the release, which does not have it."""
        if self.beside is None or self.runner.program(self.sandbox, program).exists():
            return False
        return tool_program(self.beside, program, self.sandbox) is not None

    def run(self, command: Command) -> Completed:
        """Run a program of the release."""
        if self.stop.is_set():
            raise CancelledError
        with self._limited(command.cwd) as sandbox:
            request = replace(self.runner.request(sandbox, command), most_output=MOST_OUTPUT)
            environment = {**(request.environment or {}), **command.environment}
            if self.beside is not None:
                seen_as = self.runner.guest_path
                environment |= paths_with_tools(environment, self.sandbox, self.beside, seen_as)
            request = replace(request, environment=environment)
            try:
                return process.run(request)
            except ToolMissingError as error:  # such as a script without its interpreter: the release's fault
                return Completed(request=request, exit_code=127, stdout="", stderr=error.message, seconds=0.0)

    @contextmanager
    def _limited(self, cwd: Path) -> Iterator[Sandbox]:
        """Yield the sandbox of one program: with limits, and a folder for temporary files that is removed."""
        temp = self.sandbox.temp / hashlib.sha256(str(cwd.relative_to(self.work)).encode()).hexdigest()[:8]
        temp.mkdir(exist_ok=True)
        disk = USUAL_DISK if self.sandbox.disk is None else self.sandbox.disk
        try:
            yield replace(self.sandbox, temp=temp, disk=disk, processes=_MOST_PROCESSES, watched=(cwd, temp))
        finally:
            self.runner.sweep(replace(self.sandbox, temp=temp))
            shutil.rmtree(temp, ignore_errors=True)

    def run_script(
        self, script: str, *arguments: str | Path, cwd: Path, timeout: float | None = None
    ) -> Completed:
        """Run a script of `cuvee.integration.inside` with the release's interpreter."""
        tools = () if self.beside is None else (INSIDE / "with_tools.py", self.beside / "start")
        return self.run(
            Command(
                program="python",
                arguments=("-I", *tools, INSIDE / script, *arguments),
                cwd=cwd,
                timeout=self.timeout if timeout is None else timeout,
            )
        )

    def outcome(
        self, test: PlannedTest, state: OutcomeState, seconds: float, *, reason: str = "", log: str = ""
    ) -> TestOutcome:
        """Make the outcome of ``test``; ``log`` is kept unless the test passed.

        Temporary paths are replaced by their role, so that the same failure gives the same log in every run.
        A failure that the host is the cause of is none of the release.
        """
        if state is OutcomeState.FAIL and (fault := host_fault(reason, log)):
            state, reason = OutcomeState.INFRA_ERROR, f"{fault}: {reason}"
        kept = None
        if log and state is not OutcomeState.PASS:
            kept = f"logs/{safe_name(test.suite)}/{safe_name(test.test)}.log"
            write_text(self.logs / kept, shortened(self._named(log)))
        return TestOutcome(
            suite=test.suite,
            test=test.test,
            platform=self.plan.platform,
            state=state,
            seconds=round(seconds, 3),
            package=test.package,
            packages=test.packages,
            reason=self._named(reason)[:LONGEST_REASON],
            log=kept,
        )

    def _named(self, text: str) -> str:
        names = {
            self.sandbox.prefix: "<prefix>",
            self.sandbox.home: "<home>",
            self.sandbox.temp: "<temp>",
            self.work: "<work>",
        }
        for path, name in names.items():
            text = text.replace(self.runner.guest_path(path), name).replace(str(path), name)
        return text


def shortened(text: str) -> str:
    """Return a log that a viewer can open: the middle of a very long one is replaced by a note."""
    if len(text) <= _LONGEST_LOG:
        return text
    half = _LONGEST_LOG // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


def transcript(completed: Completed) -> str:
    """Return a program's command line, ending and output as a log."""
    lines = [f"$ {completed.request.line}", f"# {describe_exit(completed)} after {completed.seconds:.1f} s"]
    for title, text in (("stdout", completed.stdout), ("stderr", completed.stderr)):
        if text.strip():
            lines += [f"--- {title}", text.rstrip()]
    return "\n".join(lines) + "\n"


def describe_exit(completed: Completed) -> str:
    """Return how a program ended: ``exit code 1``, ``killed by SIGSEGV``, ``stopped for taking too long``."""
    if completed.timed_out:
        return "stopped for taking too long"
    code = completed.exit_code
    number = -code if code < 0 else code - _SHELL_SIGNAL
    if number in signal.valid_signals():
        return f"killed by {signal.Signals(number).name}"
    return f"exit code {code}"


def exceeded_limit(completed: Completed) -> str:
    """Return which limit of its suite ended a program; the empty text if none."""
    found = _LIMITED.search(completed.stderr)
    if found is None or completed.exit_code != LIMITED:
        return ""
    what, used, allowed = found[1], int(found[2]), int(found[3])
    if what == "processes":
        return f"it had {used} processes, and a suite may have {allowed}"
    noun = "memory" if what == "memory" else "disk space"
    return f"it took {used / 1e6:.0f} MB of {noun}, and its suite allows {allowed / 1e6:.0f} MB"


def last_line(text: str) -> str:
    """Return the last line that is not blank: where a traceback names the error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def safe_name(name: str) -> str:
    """Return a file name, good on any system, for a test's name; different names stay different."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")[:100]
    if safe and safe == name:
        return safe
    return f"{safe or 'test'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
