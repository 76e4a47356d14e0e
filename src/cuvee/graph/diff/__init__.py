"""Comparing releases: what changed, in which direction, how far, and what forced it."""

from cuvee.graph.diff.changes import diff
from cuvee.graph.diff.forcing import with_reasons
from cuvee.graph.diff.model import METADATA, Change, ChangeKind, Force, Reason, Step
from cuvee.graph.diff.versions import Level

__all__ = [
    "METADATA",
    "Change",
    "ChangeKind",
    "Force",
    "Level",
    "Reason",
    "Step",
    "diff",
    "with_reasons",
]
