"""Checks of a release: each is a small class with a pure function from the release graph to findings."""

from cuvee.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cuvee.graph.checks.all_checks import ALL_CHECKS, ARCHIVE_CHECKS, SOURCE_CHECKS, TEST_CHECKS
    from cuvee.graph.checks.check_interface import (
        LEFT_OUT,
        NOT_RUN,
        Check,
        CheckOutcome,
        Severity,
        Status,
        documentation,
    )
    from cuvee.graph.checks.check_runs import run_checks
    from cuvee.graph.checks.check_selection import left_out
    from cuvee.graph.checks.unmet_dependencies import missing_names

__all__ = [
    "ALL_CHECKS",
    "ARCHIVE_CHECKS",
    "LEFT_OUT",
    "NOT_RUN",
    "SOURCE_CHECKS",
    "TEST_CHECKS",
    "Check",
    "CheckOutcome",
    "Severity",
    "Status",
    "documentation",
    "left_out",
    "missing_names",
    "run_checks",
]
__getattr__ = lazy_names(
    __name__,
    {
        "all_checks": ("ALL_CHECKS", "ARCHIVE_CHECKS", "SOURCE_CHECKS", "TEST_CHECKS"),
        "check_interface": (
            "LEFT_OUT",
            "NOT_RUN",
            "Check",
            "CheckOutcome",
            "Severity",
            "Status",
            "documentation",
        ),
        "check_selection": ("left_out",),
        "check_runs": ("run_checks",),
        "unmet_dependencies": ("missing_names",),
    },
)
