"""Match specs: read once each, by rattler, with what rattler's solver refuses to read."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cuvee.lock.specs import parse_spec, spec_problem

if TYPE_CHECKING:
    from rattler import MatchSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A match spec that was read, or why it could not be.

    Attributes
    ----------
    name
        The package that it asks for, in lower case; empty if it can not be read.
    matcher
        Rattler's own; `None` if it can not be read.
    problem
        What is wrong with it, or empty.
    channel
        The URL of the only channel that it takes, or empty.
    """

    name: str
    matcher: "MatchSpec | None"
    channel: str = ""
    problem: str = ""


@lru_cache(maxsize=1 << 18)
def read_spec(text: str) -> Spec:
    """Read one entry of ``depends``, ``constrains`` or of a manifest; never raises."""
    spec = parse_spec(text)
    if spec is None:
        return Spec(name="", matcher=None, problem=spec_problem(text))
    if spec.condition is not None or spec.extras:
        return Spec(name="", matcher=None, problem="conditional and extra dependencies are not read yet")
    channel = spec.channel.base_url.rstrip("/") if spec.channel is not None else ""
    return Spec(name=spec.name.normalized, matcher=spec, channel=channel)
