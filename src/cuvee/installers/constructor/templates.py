"""The templates of ``construct.yaml``: jinja, in its sandbox.

Constructor's templates can use all of the module ``os``, so a project is a program that must be trusted. Here
they run in https://jinja.palletsprojects.com/en/stable/sandbox/, with the functions of ``os`` that only read,
and include only files of their folder.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from cuvee.errors import UsageError

if TYPE_CHECKING:
    from jinja2 import Template

_PATH_FUNCTIONS = (
    "abspath", "basename", "commonpath", "dirname", "exists", "expanduser", "isabs", "isdir", "isfile",
    "join", "normpath", "realpath", "relpath", "split", "splitext",
)  # fmt: skip
_LARGEST = 1 << 20
"""Characters that a rendered file may have."""


class _Part:
    """A module with only some of its attributes."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


def has_templates(text: str) -> bool:
    """Return whether a text has jinja templates."""
    return "{{" in text or "{%" in text


def render(
    text: str,
    *,
    source: Path,
    environment: Mapping[str, str],
    choose: Callable[[str], str],
    lines: Sequence[int],
) -> str:
    """Render the text of a ``construct.yaml``.

    Parameters
    ----------
    source
        The file of the text; included templates are in its folder.
    environment
        ``environ`` in templates.
    choose
        Returns the lines of an included file for the platform.
    lines
        The number of each line of ``text`` in ``source``.

    Raises
    ------
    UsageError
        If it cannot be rendered, or needs more than templates may use.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def load(name: str) -> str | None:
        path = source.parent / name
        if PurePath(name).is_absolute() or ".." in PurePath(name).parts or not path.is_file():
            return None
        return choose(path.read_text(encoding="utf-8"))

    jinja = ImmutableSandboxedEnvironment(loader=jinja2.FunctionLoader(load), autoescape=False)
    jinja.globals |= {"environ": dict(environment), "os": _os(environment)}
    try:
        return _limited(jinja.from_string(text), source)
    except jinja2.TemplateSyntaxError as error:
        # Of an included file, which has lost comment lines, the number would be wrong.
        place = f"{source.parent / error.name}" if error.name else f"{source}:{lines[error.lineno - 1]}"
        raise UsageError(f"{place}: a template is wrong: {error.message}") from error
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"{source}: its templates cannot be rendered: {error}",
            hint="Templates can use environ, and the functions of os that only read.",
        ) from error


def _limited(template: "Template", source: Path) -> str:
    parts, size = [], 0
    for part in template.generate():
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise UsageError(f"{source}: its templates make more than {_LARGEST:,} characters")
    return "".join(parts)


def _os(environment: Mapping[str, str]) -> _Part:
    path = _Part(sep=os.sep, **{name: getattr(os.path, name) for name in _PATH_FUNCTIONS})
    return _Part(
        environ=dict(environment),
        getenv=environment.get,
        getcwd=os.getcwd,
        listdir=os.listdir,
        name=os.name,
        path=path,
        sep=os.sep,
        sys=_Part(platform=sys.platform),
    )
