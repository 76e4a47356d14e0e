"""One word, icon, tone and sentence for everything that has a status, so that page and twin agree."""

from dataclasses import dataclass
from typing import Literal

from cuvee.graph.diff import ChangeKind
from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import OutcomeState

Tone = Literal["good", "bad", "warn", "wait", "info", "idle"]
"""Which colours a badge takes; its word and its icon say the same without them."""

Icon = Literal[
    "check",
    "cross",
    "alert",
    "clock",
    "info",
    "minus",
    "ring",
    "skip",
    "shield",
    "up",
    "down",
    "plus",
    "cycle",
]


@dataclass(frozen=True, slots=True)
class Badge:
    """How a status is shown.

    Attributes
    ----------
    word
        The status itself, lower case.
    meaning
        One sentence for the legend.
    """

    word: str
    icon: Icon
    tone: Tone
    meaning: str

    def __str__(self) -> str:
        return self.word

    @property
    def slug(self) -> str:
        """The word without spaces, for filters."""
        return self.word.replace(" ", "-")


VERDICTS = {
    Verdict.READY: Badge("ready", "check", "good", "Nothing stands in the way."),
    Verdict.INFO: Badge("info", "info", "info", "Good to know."),
    Verdict.WAIVED: Badge("waived", "shield", "info", "Accepted for now, by somebody, with a reason."),
    Verdict.WARNING: Badge("warning", "alert", "warn", "It can go out; the owner should look."),
    Verdict.WAITING: Badge("waiting", "clock", "wait", "Something has not finished yet."),
    Verdict.NEEDS_APPROVAL: Badge("needs approval", "alert", "warn", "Somebody must approve or waive it."),
    Verdict.BLOCKED: Badge("blocked", "cross", "bad", "It must be fixed or waived first."),
}

STATES = {
    OutcomeState.REGRESSION: Badge(
        "regression", "cross", "bad", "It passed in the reference run and fails now."
    ),
    OutcomeState.FAIL: Badge("fail", "cross", "bad", "It ran and failed."),
    OutcomeState.TIMEOUT: Badge("timeout", "clock", "bad", "It did not end in its time."),
    OutcomeState.INFRA_ERROR: Badge("infra-error", "alert", "bad", "The machinery failed, not the package."),
    OutcomeState.ALWAYS_FAIL: Badge(
        "always-fail", "minus", "warn", "It fails, and failed in the release of the reference run, too."
    ),
    OutcomeState.FLAKY: Badge("flaky", "cycle", "warn", "It failed and passed in the same run."),
    OutcomeState.QUARANTINED: Badge(
        "quarantined", "cycle", "warn", "It failed or was flaky, and its results do not count until a day."
    ),
    OutcomeState.KNOWN_FAIL: Badge("known-fail", "minus", "info", "It fails, as it is known to."),
    OutcomeState.WAIVED: Badge(
        "waived", "shield", "info", "It fails, and somebody accepted that with a reason."
    ),
    OutcomeState.NOT_RUN: Badge("not-run", "ring", "idle", "Nothing ran it here; that is not a pass."),
    OutcomeState.SKIPPED: Badge("skipped", "skip", "idle", "The test chose not to run, and says why."),
    OutcomeState.NOT_SUPPORTED: Badge("not-supported", "skip", "idle", "It makes no sense on this platform."),
    OutcomeState.PASS: Badge("pass", "check", "good", "It ran and passed."),
}
"""In the order of triage: what newly fails comes first."""

CHANGES = {
    ChangeKind.DOWNGRADED: Badge("downgraded", "down", "bad", "The version went back."),
    ChangeKind.REMOVED: Badge("removed", "minus", "warn", "The package is gone."),
    ChangeKind.UPGRADED: Badge("upgraded", "up", "good", "The version went on."),
    ChangeKind.ADDED: Badge("added", "plus", "info", "The package is new."),
    ChangeKind.MODIFIED: Badge(
        "files-changed", "alert", "warn", "Installed files are not those of the package."
    ),
    ChangeKind.REBUILT: Badge("rebuilt", "cycle", "idle", "Same version, another archive."),
    ChangeKind.METADATA: Badge("metadata-changed", "info", "idle", "Same archive, other metadata."),
}

OK = Badge("ok", "check", "good", "Locked, and no test that ran found fault.")
UNTESTED = Badge("untested", "ring", "idle", "Locked; no test that ran here is about it.")
NOT_HERE = Badge("not here", "ring", "idle", "Nothing on this platform needs it.")
NOT_WANTED = Badge("not wanted", "ring", "idle", "The manifest names it for other platforms only.")
MISSING = Badge("missing", "cross", "bad", "The manifest wants it here, and the lock lacks it.")
ABSENT = Badge("absent", "minus", "idle", "Left out, with the reason.")
NOT_MADE = Badge("not made", "alert", "warn", "It could not be made here, with the reason.")
NO_LOCK = Badge("no lock", "cross", "bad", "The manifest wants it, and there is no lock for it.")
