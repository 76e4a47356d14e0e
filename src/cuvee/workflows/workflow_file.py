"""The file of a workflow: the same facts give the same bytes, and no file of somebody else is replaced."""

import functools
import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import UsageError
from cuvee.files import storage_errors, write_text
from cuvee.workflows.ci_systems import ACTIONS, CiSystem
from cuvee.workflows.workflow_facts import WorkflowFacts, as_it_is

if TYPE_CHECKING:
    import jinja2

MARK = "# Written by `cuvee ci`. Run its command again instead of changing this file:"
"""The first line of a file that may be replaced."""


def workflow_text(facts: WorkflowFacts, system: CiSystem, *, options: tuple[str, ...] = ()) -> str:
    """Return the content of a workflow's file; ``options`` are those of the command that writes it."""
    command = as_it_is(shlex.join(("cuvee", "ci", system.name, facts.manifest, *options)), "command")
    template = _environment().get_template(f"{system.name}.yml.j2")
    return f"{MARK}\n#   {command}\n{template.render(facts=facts, actions=ACTIONS)}"


def is_current(path: Path, text: str) -> bool:
    """Whether a file has this content.

    Raises
    ------
    UsageError
        If it was written by somebody else.
    """
    return _own(path) == text


def write_workflow(path: Path, text: str) -> bool:
    """Write a workflow's file; return whether that changed anything.

    Raises
    ------
    UsageError
        If a file that was written by somebody else is there.
    """
    if is_current(path, text):
        return False
    write_text(path, text)
    return True


def _own(path: Path) -> str | None:
    """Return the content of a file that was written by `write_workflow`; `None` if there is none."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder", hint="Name a file with --output.")
    if not path.exists() and not path.is_symlink():
        return None
    with storage_errors(path):
        data = path.read_bytes() if path.is_file() else b""
    text = data.decode(errors="replace")
    if not text.startswith(MARK):
        raise UsageError(
            f"{path} was not written by `cuvee ci`, and is left as it is",
            hint="Name another file with --output, or remove it.",
        )
    return text


@functools.cache
def _environment() -> "jinja2.Environment":
    """Return the environment of the templates; the CI systems have double braces for themselves."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cuvee.workflows", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        variable_start_string="[[",
        variable_end_string="]]",
        autoescape=False,  # noqa: S701 - YAML, in which the filter quotes
    )
    # A string of JSON is one of YAML: https://yaml.org/spec/1.2.2/#13-terminology
    environment.filters["quote"] = json.dumps
    return environment
