"""The difference between two releases: what changed, in which direction, how far, and what forced it."""

from cuvee.graph.diff.change_reasons import with_reasons
from cuvee.graph.diff.lock_diff import diff
from cuvee.graph.diff.model import (
    METADATA,
    Change,
    ChangeKind,
    ChangeReason,
    Force,
    PlatformChange,
    needs_attention,
)
from cuvee.graph.diff.patched_changes import with_patches
from cuvee.graph.diff.version_order import Level

__all__ = [
    "METADATA",
    "Change",
    "ChangeKind",
    "ChangeReason",
    "Force",
    "Level",
    "PlatformChange",
    "diff",
    "needs_attention",
    "with_patches",
    "with_reasons",
]
