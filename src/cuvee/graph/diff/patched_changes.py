"""Which changes are patches of a release's own, and what they fix."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cuvee.channel.patches.patch_files import is_patched
from cuvee.graph.diff.model import Change


def with_patches(changes: Iterable[Change], stated: Mapping[str, str]) -> tuple[Change, ...]:
    """Return changes with what their patches fix; ``stated`` says it by package, as far as it is known."""
    return tuple(replace(change, patched=_patched(change, stated)) for change in changes)


def _patched(change: Change, stated: Mapping[str, str]) -> str:
    pairs = change.per_platform
    if any(pair.after is not None and is_patched(pair.after.build) for pair in pairs):
        return stated.get(change.package, "patched")
    if any(pair.after and pair.before and is_patched(pair.before.build) for pair in pairs):
        return "no longer patched"
    return ""
