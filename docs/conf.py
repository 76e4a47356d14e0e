"""How Sphinx builds these pages: ``sphinx-build -W -n docs docs/_build``."""

import inspect
from collections.abc import Iterator

import click
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from cuvee.cli.main import cli

project = "cuvee"
author = "The cuvee developers"
copyright = "The cuvee developers"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!cuvee\.(load|cut|read|build|why|diff|check|Release$)).*")]
napoleon_use_ivar = True
autodoc_typehints = "signature"
autodoc_default_options = {"member-order": "bysource"}

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "cuvee"
html_show_sphinx = False


class CommandReference(Directive):
    """Writes a section for each command, so that the page cannot fall behind the program."""

    def run(self) -> list[nodes.Node]:
        context = click.Context(cli, info_name="cuvee")
        names = cli.list_commands(context)
        return [_section(name, cli.get_command(context, name), context) for name in names]


def _section(name: str, command: click.Command | None, parent: click.Context) -> nodes.section:
    if command is None:
        raise ValueError(f"click lists the command {name}, but does not have it")
    context = click.Context(command, info_name=name, parent=parent)
    path = context.command_path
    section = nodes.section(ids=[path.replace(" ", "-")])
    section += nodes.title("", "", nodes.literal(text=path))
    section += _code(command.get_usage(context).removeprefix("Usage: "), "text")
    section += list(_help(inspect.cleandoc(command.help or "")))
    section += _options(command, context)
    if isinstance(command, click.Group):
        section += [
            _section(inner, command.get_command(context, inner), context) for inner in command.commands
        ]
    return section


def _help(text: str) -> Iterator[nodes.Node]:
    """Return paragraphs, and click's unwrapped blocks as code."""
    for block in text.split("\n\n"):
        if block.startswith("\b"):
            heading, *lines = block.removeprefix("\b\n").splitlines()
            yield nodes.paragraph(text=heading)
            yield _code(inspect.cleandoc("\n".join(lines)), "console")
        else:
            yield nodes.paragraph("", "", *_inline(" ".join(block.split())))


def _inline(text: str) -> Iterator[nodes.Node]:
    for number, part in enumerate(text.split("`")):
        if part:
            yield nodes.literal(text=part) if number % 2 else nodes.Text(part)


def _options(command: click.Command, context: click.Context) -> nodes.definition_list:
    options = nodes.definition_list()
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is None or not record[1]:
            continue
        item = nodes.definition_list_item("", nodes.term("", "", nodes.literal(text=record[0])))
        item += nodes.definition("", nodes.paragraph("", "", *_inline(record[1])))
        options += item
    return options


def _code(text: str, language: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language=language)


def setup(app: Sphinx) -> None:
    """Register the directive ``command-reference``."""
    app.add_directive("command-reference", CommandReference)
