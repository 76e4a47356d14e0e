"""Match specs and versions: rattler reads each of them once."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rattler import MatchSpec, Version

LONGEST = 10_000
DEEPEST = 100
"""Characters and brackets that no real match spec has: beyond them rattler's parser overflows its stack."""

_KEPT = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A match spec that was read, or why it could not be.

    Attributes
    ----------
    name
        The package's name in lower case; empty if the spec cannot be read, or has no name or a pattern.
    matcher
        Rattler's own; `None` if it cannot be read.
    channel
        The URL of the only channel that it takes, or empty.
    problem
        What is wrong with it, in one line, or empty.
    """

    name: str
    matcher: "MatchSpec | None"
    channel: str = ""
    problem: str = ""


@lru_cache(maxsize=_KEPT)
def read_spec(text: str) -> Spec:
    """Read one entry of ``depends``, of ``constrains`` or of a manifest; never raises.

    Format: https://github.com/conda/ceps/blob/main/cep-0029.md. Specs that rattler's solver refuses
    are a problem here as well.
    """
    if len(text) > LONGEST or text.count("(") > DEEPEST:
        return _unread("it is nested too deeply")
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    try:
        spec = MatchSpec(text, strict=False)
    except (InvalidMatchSpecError, UnicodeEncodeError) as error:
        return _unread(" ".join(str(error).split()))
    if spec.condition is not None or spec.extras:
        return _unread("conditional and extra dependencies are not read yet")
    channel = spec.channel.base_url.rstrip("/") if spec.channel is not None else ""
    return Spec(name=spec.name.normalized, matcher=spec, channel=channel)


def _unread(problem: str) -> Spec:
    return Spec(name="", matcher=None, problem=problem)


@lru_cache(maxsize=_KEPT)
def read_version(text: str) -> "Version | None":
    """Read a version; return `None` if the text is not one."""
    from rattler import Version
    from rattler.exceptions import InvalidVersionError

    try:
        return Version(text)
    except (InvalidVersionError, ValueError):
        return None
