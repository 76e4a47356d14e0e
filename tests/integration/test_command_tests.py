"""What counts as an answer of a command, and what is not its fault."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cuvee.integration.command_tests import run_command
from cuvee.integration.installed_environment import InstalledDistribution, InstalledEnvironment
from cuvee.integration.model import CommandRule, PackagePlan, Plan
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Command, Sandbox
from cuvee.integration.test_session import TestSession
from cuvee.process import Completed, Request

MCP = InstalledDistribution(
    name="MCP",
    version="1.2",
    requires=("anyio", "typer>=0.16; extra == 'cli'", "mcp[cli]; extra == 'all'", "rich; extra == 'rich'"),
    scripts={"mcp": ("cli",), "mcp-all": ("all",), "mcp-rich": ("rich",), "mcp-plain": ()},
)
OTHERS = (InstalledDistribution(name="anyio", version="4"), InstalledDistribution(name="rich", version="14"))
MARKERS = {"python_version": "3.11", "sys_platform": "linux"}

Answers = Mapping[tuple[str, ...], tuple[int | None, str]]
Run = Callable[..., TestOutcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Start a command whose answers are given: exit code (`None` for too long) and output, by arguments."""

    def run(
        command: str,
        answers: Answers,
        *,
        content: bytes = b"#!/bin/sh\n",
        usages: Mapping[str, tuple[tuple[str, ...], ...]] | None = None,
        rules: tuple[CommandRule, ...] = (),
    ) -> TestOutcome:
        def answer(session: TestSession, asked: Command) -> Completed:
            arguments = tuple(map(str, asked.arguments))
            tried.append(arguments)
            code, text = answers.get(arguments, (2, "no such option"))
            return Completed(
                request=Request(argv=(command, *arguments)), exit_code=code if code is not None else -9,
                stdout="", stderr=text, seconds=0.1, timed_out=code is None,
            )  # fmt: skip

        monkeypatch.setattr(TestSession, "run", answer)
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / command).write_bytes(content)
        package = PackagePlan(name="mcp", version="1.2", distributions=("mcp",), usages=usages or {})
        session = TestSession(
            plan=Plan(platform="linux-64", packages=(package,), command_rules=rules),
            runner=NativeRunner(),
            sandbox=Sandbox(platform="linux-64", prefix=tmp_path, home=tmp_path, temp=tmp_path),
            logs=tmp_path / "logs",
            work=tmp_path / "work",
            timeout=1,
        )
        installed = InstalledEnvironment(
            prefix="/p", base_prefix="/p", path=(), markers=MARKERS, distributions=(MCP, *OTHERS)
        )
        return run_command(session, package, command, installed)

    tried.clear()
    return run


tried: list[tuple[str, ...]] = []


@pytest.mark.parametrize(
    "content", [b"# complete -C aws_completer aws\n", b"", b"compdef _aws aws\n", b"\x80\x02cmodule"]
)
def test_what_no_system_starts_is_not_started(run: Run, content: bytes) -> None:
    outcome = run("aws_bash_completer", {}, content=content)
    assert (outcome.state, tried) == (OutcomeState.NOT_SUPPORTED, [])
    assert "no #! line" in outcome.reason


@pytest.mark.parametrize("content", [b"#!/bin/sh\n", b"#! python", b"\x7fELF\x02", b"\xcf\xfa\xed\xfe"])
def test_programs_are_started(run: Run, content: bytes) -> None:
    assert run("tool", {("--help",): (0, "")}, content=content).state is OutcomeState.PASS
    assert run("tool", {}, content=content).state is OutcomeState.FAIL


def test_an_entry_point_without_its_line_is_a_failure(run: Run) -> None:
    assert run("mcp-plain", {}, content=b"import mcp\n").state is OutcomeState.FAIL


@pytest.mark.parametrize(("command", "extra"), [("mcp", "cli"), ("mcp-all", "all")])
def test_an_extra_that_was_not_asked_for_is_not_the_commands_fault(
    run: Run, command: str, extra: str
) -> None:
    outcome = run(command, {})
    assert outcome.state is OutcomeState.NOT_SUPPORTED
    assert outcome.reason.startswith(f"it belongs to the extra mcp[{extra}], which needs typer>=0.16")
    assert run(command, {("--help",): (0, "")}).state is OutcomeState.PASS


def test_an_extra_that_is_there_excuses_nothing(run: Run) -> None:
    assert run("mcp-rich", {}).state is OutcomeState.FAIL
    assert run("mcp-plain", {}).state is OutcomeState.FAIL


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Make sure you've installed everything with: pip install 'mcp[cli]'", OutcomeState.NOT_SUPPORTED),
        ("pip install 'MCP[rich, cli]'", OutcomeState.NOT_SUPPORTED),
        ("pip install 'mcp[rich]'", OutcomeState.FAIL),
        ("pip install 'mcp[nonsense]'", OutcomeState.FAIL),
        ("pip install 'other[cli]'", OutcomeState.FAIL),
        ("TypeError: mcp[0] is not a function", OutcomeState.FAIL),
    ],
)
def test_a_command_may_say_itself_which_extra_it_needs(run: Run, text: str, state: OutcomeState) -> None:
    assert run("mcp-plain", {("--version",): (1, text)}).state is state


def test_the_packages_own_way_counts(run: Run) -> None:
    usages = {"tool": (("--help",), ("help", "all"))}
    outcome = run("tool", {("help", "all"): (0, "usage")}, usages=usages)
    assert (outcome.state, tried) == (OutcomeState.PASS, [("--help",), ("--version",), ("help", "all")])
    assert run("tool", {}, usages=usages).state is OutcomeState.FAIL


def test_a_command_that_does_not_end_with_help_may_end_as_documented(run: Run) -> None:
    outcome = run("tool", {("--help",): (None, ""), ("-h",): (0, "")}, usages={"tool": (("-h",),)})
    assert (outcome.state, tried) == (OutcomeState.PASS, [("--help",), ("-h",)])
    assert run("tool", {("--help",): (None, "")}).state is OutcomeState.TIMEOUT


def test_a_completer_is_called_as_a_shell_does(run: Run) -> None:
    called = {("tool", "", "tool"): (0, "choices")}
    assert run("tool", called, content=b"#!/bin/sh\necho $COMP_LINE\n").state is OutcomeState.PASS
    assert run("tool", {}, content=b"#!/bin/sh\necho $COMP_LINE\n").state is OutcomeState.FAIL
    assert run("tool", called).state is OutcomeState.FAIL


def test_a_rule_is_the_only_way(run: Run) -> None:
    rules = (CommandRule(command="tool", arguments=("x",)),)
    outcome = run("tool", {("--help",): (0, "")}, usages={"tool": (("--help",),)}, rules=rules)
    assert (outcome.state, tried) == (OutcomeState.FAIL, [("x",)])
