"""Which outcomes are news: each outcome in one group, in the order in which people decide."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.reference_comparison import RunComparison

_FAILED = frozenset(
    {
        OutcomeState.FAIL,
        OutcomeState.REGRESSION,
        OutcomeState.TIMEOUT,
        OutcomeState.ALWAYS_FAIL,
        OutcomeState.KNOWN_FAIL,
        OutcomeState.QUARANTINED,
        OutcomeState.WAIVED,
    }
)
_NOT_RUN = frozenset({OutcomeState.SKIPPED, OutcomeState.NOT_SUPPORTED, OutcomeState.NOT_RUN})


class Triage(enum.Enum):
    """A group of outcomes; the value is its title."""

    NEWLY_FAILING = "Newly failing"
    FAILING = "Failing"
    INFRA_ERROR = "Infra-errors"
    STILL_FAILING = "Still failing"
    FLAKY = "Flaky"
    ACCEPTED = "Waived or known"
    NEWLY_PASSING = "Newly passing"
    NEW = "New"
    GONE = "Gone"
    NOT_RUN = "Not run"
    PASSING = "Passing"

    @property
    def slug(self) -> str:
        """The group in addresses: ``newly-failing``."""
        return self.value.lower().replace(" ", "-")

    @property
    def meaning(self) -> str:
        """One sentence for readers."""
        return _MEANINGS[self]


_MEANINGS: Mapping[Triage, str] = {
    Triage.NEWLY_FAILING: "They fail, and did not fail in the reference run; new tests that fail are here.",
    Triage.FAILING: "They fail, and there is no reference run to compare them with.",
    Triage.INFRA_ERROR: "The machine failed, not the package. They have no result.",
    Triage.STILL_FAILING: "They fail, and failed in the reference run.",
    Triage.FLAKY: "They failed and passed in the same run.",
    Triage.ACCEPTED: "They fail, and that is accepted with a reason.",
    Triage.NEWLY_PASSING: "They pass, and failed in the reference run.",
    Triage.NEW: "They pass, and are not in the reference run.",
    Triage.GONE: "They are in the reference run, and not in this one.",
    Triage.NOT_RUN: "They were skipped, are not supported here, or were not run.",
    Triage.PASSING: "They pass.",
}

LOUD = frozenset(
    {Triage.NEWLY_FAILING, Triage.FAILING, Triage.INFRA_ERROR, Triage.STILL_FAILING, Triage.FLAKY}
)
"""The groups that readers must see without opening anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What is known of tests before a run.

    Attributes
    ----------
    references
        By platform, the release that its run was compared with; a platform without one is not in it.
    states
        By platform, suite and test, the earlier state of those that have another one now; `None` if new.
    """

    references: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[tuple[str, str, str], OutcomeState | None] = field(default_factory=dict)

    def state(self, outcome: TestOutcome) -> OutcomeState | None:
        """Return the state in the reference run; `None` if it is not known, or if there was none."""
        if outcome.platform not in self.references:
            return None
        return self.states.get((outcome.platform, outcome.suite, outcome.test), outcome.state)

    def said(self, outcome: TestOutcome) -> str:
        """Return what was before, such as ``pass in starter-2026.10.2``; empty if nothing is known."""
        reference = self.references.get(outcome.platform)
        if reference is None:
            return ""
        state = self.state(outcome)
        return f"not in {reference}" if state is None else f"{state.value} in {reference}"

    def triage(self, outcome: TestOutcome) -> Triage:
        """Return the group of an outcome."""
        known, was = outcome.platform in self.references, self.state(outcome)
        if outcome.state in _GROUPS:
            return _GROUPS[outcome.state]
        if outcome.state is OutcomeState.PASS:
            if known and was is None:
                return Triage.NEW
            return Triage.NEWLY_PASSING if was in _FAILED else Triage.PASSING
        if not known:
            return Triage.FAILING
        return Triage.STILL_FAILING if was in _FAILED else Triage.NEWLY_FAILING


_GROUPS: Mapping[OutcomeState, Triage] = {
    OutcomeState.INFRA_ERROR: Triage.INFRA_ERROR,
    OutcomeState.FLAKY: Triage.FLAKY,
    OutcomeState.KNOWN_FAIL: Triage.ACCEPTED,
    OutcomeState.QUARANTINED: Triage.ACCEPTED,
    OutcomeState.WAIVED: Triage.ACCEPTED,
    OutcomeState.REGRESSION: Triage.NEWLY_FAILING,
    OutcomeState.ALWAYS_FAIL: Triage.STILL_FAILING,
    **dict.fromkeys(_NOT_RUN, Triage.NOT_RUN),
}
"""The groups of states that need no reference run."""


def earlier(compared: Iterable[RunComparison]) -> Earlier:
    """Return what a release's comparisons say of the states before."""
    known = [item for item in compared if item.reference]
    return Earlier(
        references={item.platform: item.reference for item in known},
        states={
            (item.platform, state.suite, state.test): state.was for item in known for state in item.changed
        },
    )
