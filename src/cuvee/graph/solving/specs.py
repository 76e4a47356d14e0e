"""Match specs: read once each, by rattler, with what rattler's solver refuses to read."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cuvee.graph.limits import is_endless

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
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    if is_endless(text):
        return Spec(name="", matcher=None, problem="it is nested too deeply")
    try:
        spec = MatchSpec(text, strict=False)
    except InvalidMatchSpecError as error:
        return Spec(name="", matcher=None, problem=" ".join(str(error).split()))
    if spec.condition is not None or spec.extras:
        return Spec(name="", matcher=None, problem="conditional and extra dependencies are not read yet")
    channel = spec.channel.base_url.rstrip("/") if spec.channel is not None else ""
    return Spec(name=spec.name.normalized, matcher=spec, channel=channel)
