"""The templates of ``construct.yaml``: jinja, with what constructor offers it, and nothing that does harm.

A project is somebody's program to constructor: its templates see the whole module ``os``. Here they run in
jinja's sandbox, with the parts of ``os`` that only look, and read other templates of their folder alone.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from cuvee.errors import UsageError

if TYPE_CHECKING:
    from jinja2 import Template

_PATH_FUNCTIONS = (
    "abspath",
    "basename",
    "commonpath",
    "dirname",
    "exists",
    "expanduser",
    "isabs",
    "isdir",
    "isfile",
    "join",
    "normpath",
    "realpath",
    "relpath",
    "split",
    "splitext",
)
_LARGEST = 1 << 20
"""Characters that a rendered file may have."""


class _Part:
    """Some attributes of a module; whatever else it has is not there."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def has_templates(text: str) -> bool:
    """Whether a text has anything for jinja to do."""
    return "{{" in text or "{%" in text


def render(text: str, *, source: Path, environment: Mapping[str, str], choose: Callable[[str], str]) -> str:
    """Render the text of a ``construct.yaml``.

    Parameters
    ----------
    source
        The file that it comes from; templates that it includes lie beside it.
    environment
        What templates see as ``environ``.
    choose
        Gives the lines of an included file that are for the platform.

    Raises
    ------
    UsageError
        If it can't be rendered, or wants more than templates may have.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def load(name: str) -> str | None:
        path = source.parent / name
        if PurePath(name).is_absolute() or ".." in PurePath(name).parts or not path.is_file():
            return None
        return choose(path.read_text(encoding="utf-8"))

    jinja = ImmutableSandboxedEnvironment(
        loader=jinja2.FunctionLoader(load),
        autoescape=False,
    )
    seen = dict(environment)
    jinja.globals |= {"environ": seen, "os": _os(seen)}
    try:
        return _limited(jinja.from_string(text), source)
    except jinja2.TemplateSyntaxError as error:
        # Comment lines are gone already, so jinja's line number would point elsewhere.
        raise UsageError(f"{source}: a template is wrong: {error.message}") from error
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"{source}: its templates can not be rendered: {error}",
            hint="Templates see environ, and those functions of os that only look.",
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
