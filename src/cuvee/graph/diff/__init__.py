"""The difference between two releases: what changed, in which direction, how far, and what forced it."""

from cuvee.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
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
__getattr__ = lazy_names(
    __name__,
    {
        "change_reasons": ("with_reasons",),
        "lock_diff": ("diff",),
        "model": (
            "METADATA",
            "Change",
            "ChangeKind",
            "ChangeReason",
            "Force",
            "PlatformChange",
            "needs_attention",
        ),
        "patched_changes": ("with_patches",),
        "version_order": ("Level",),
    },
)
