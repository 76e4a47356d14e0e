"""Checks: each is a small class with a pure function from the release graph to findings."""

from cuvee.graph.checks.base import Check, CheckResult, Severity, Status
from cuvee.graph.checks.closure import Closure, Constrains, Constraints, Floor, Metadata
from cuvee.graph.checks.parity import AbsentPlatforms, Parity
from cuvee.graph.checks.running import run_checks
from cuvee.graph.checks.shape import Cycles, Duplicates

ALL_CHECKS: tuple[Check, ...] = (
    Duplicates(),
    Metadata(),
    Closure(),
    Floor(),
    Constrains(),
    Constraints(),
    Cycles(),
    Parity(),
    AbsentPlatforms(),
)
"""Every check, in the order in which people read their findings."""

__all__ = ["ALL_CHECKS", "Check", "CheckResult", "Severity", "Status", "run_checks"]
