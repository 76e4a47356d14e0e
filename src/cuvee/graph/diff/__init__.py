"""Comparing releases: what changed, in which direction, how far, and what forced it."""

from cuvee.graph.diff.changes import METADATA, Change, ChangeKind, Level, Step, diff

__all__ = ["METADATA", "Change", "ChangeKind", "Level", "Step", "diff"]
