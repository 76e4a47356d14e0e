"""The commands that pages show are accepted by the program."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cuvee.cli.main import COMMANDS, cli
from docs_text import command_lines, inline_code

_GROUP = click.Context(cli, info_name="cuvee")
_FOREIGN = {
    "--help",
    "--version",
    "--sbom",
    "--key",
    "--new-key",
    "--log",
    "--no-keep",
    "--no-scripts",
    "--share",
}
"""Options that every command has, and those of the installers."""


def commands(page: Path) -> list[list[str]]:
    """Return each call of cuvee that a page shows, as the words after ``cuvee``."""
    found = []
    for line in command_lines(page):
        match = re.match(r"(?:script/(?=release))?(?:cuvee )?(.*)", line)
        if match is None or not re.match(r"cuvee \S|script/release", line):
            continue
        words = shlex.split(match[1])
        stops = [number for number, word in enumerate(words) if word in {">", "|"}]
        found.append(words[: stops[0]] if stops else words)
    return found


def command(name: str) -> click.Command:
    found = cli.get_command(_GROUP, name)
    assert found is not None, f"there is no `cuvee {name}`"
    return found


def parameters(found: click.Command) -> Iterator[click.Parameter]:
    """Yield the parameters of a command, and of those inside it."""
    yield from found.params
    for inner in found.commands.values() if isinstance(found, click.Group) else ():
        yield from parameters(inner)


def options(parameter: click.Parameter) -> list[str]:
    """All spellings, such as ``--archives`` and ``--no-archives``."""
    return [*parameter.opts, *parameter.secondary_opts]


def test_each_command_exists_and_takes_what_it_is_given(page: Path) -> None:
    for typed in commands(page):
        words = typed
        if words[0] in {"--help", "--version"}:
            continue
        name, inner = (*words, "")[:2]
        found = command(name)
        if isinstance(found, click.Group) and inner:
            assert inner in found.commands, f"there is no `cuvee {name} {inner}`"
            found, words = found.commands[inner], typed[1:]
        given = [word for word in words[1:] if word not in {"…", "--help"}]
        context = found.make_context(
            words[0], list(given), parent=_GROUP, resilient_parsing=not any(".yaml" in word for word in given)
        )
        assert not context.args, f"{' '.join(words)}: {context.args}"
        if context.resilient_parsing:
            known = {option for parameter in context.command.params for option in options(parameter)}
            assert {word for word in given if word.startswith("-")} <= known


def test_options_that_are_named_alone_exist(page: Path) -> None:
    known = {option for name in COMMANDS for item in parameters(command(name)) for option in options(item)}
    named = {re.split("[ =]", code)[0] for code in inline_code(page) if code.startswith("--")}
    assert named <= known | _FOREIGN


def test_the_pages_show_every_command(docs: Path, root: Path) -> None:
    pages = [*docs.rglob("*.md"), root / "README.md"]
    assert {words[0] for page in pages for words in commands(page)} >= set(COMMANDS)


@pytest.mark.parametrize("line", ["cuvee relase x.yaml", "cuvee release x.yaml --platfrom linux-64"])
def test_a_wrong_command_would_be_noticed(tmp_path: Path, line: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```console\n$ {line}\n```\n", encoding="utf-8")
    with pytest.raises((AssertionError, click.UsageError)):
        test_each_command_exists_and_takes_what_it_is_given(page)
