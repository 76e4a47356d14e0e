"""The interface of a check, its outcome, and how severe its findings are on each support track."""

import enum
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.prefix_contents import PrefixContents
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph
from cuvee.manifest.model import Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """The worst verdict that a check's findings can have on each support track; milder ones are kept."""

    edge: Verdict = Verdict.BLOCKED
    stable: Verdict = Verdict.BLOCKED
    lts: Verdict = Verdict.BLOCKED

    def on(self, track: Track | None) -> Verdict:
        """Return the worst verdict on a track; a release that states none counts as stable."""
        return {Track.EDGE: self.edge, Track.LTS: self.lts}.get(track or Track.STABLE, self.stable)


STRICT = Severity()
"""For what is wrong on every track."""

NOTICE = Severity(edge=Verdict.INFO, stable=Verdict.INFO, lts=Verdict.INFO)
"""For information; never keeps a release from being published, unless the manifest says so."""

ADVICE = Severity(edge=Verdict.WARNING, stable=Verdict.WARNING, lts=Verdict.WARNING)
"""For what should be fixed before the next release."""

STRICTER_WITH_SUPPORT = Severity(edge=Verdict.INFO, stable=Verdict.WARNING, lts=Verdict.NEEDS_APPROVAL)
"""For what matters more, the longer a release is supported."""


class Check(ABC):
    """One condition that a release must meet; a subclass states it in its docstring.

    Attributes
    ----------
    identifier
        A stable key of findings, waivers and documentation.
    family
        ``graph``, ``metadata``, ``parity``, …: the group of the check in lists and on the page.
    prerequisites
        Identifiers of checks that must pass before this one is run; otherwise it is skipped.
    severity
        The worst verdict of its findings by support track, unless the manifest states another.
    """

    identifier: ClassVar[str]
    family: ClassVar[str]
    prerequisites: ClassVar[tuple[str, ...]] = ()
    severity: ClassVar[Severity] = STRICT

    @property
    def title(self) -> str:
        """The condition, as a sentence that is true of a good release."""
        return inspect.getdoc(type(self)) or ""

    @abstractmethod
    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return the findings about a release, grouped by cause, from nothing but the release graph.

        Raises
        ------
        NotApplicable
            If it lacks something on all platforms or on some; findings that were yielded before are kept.
        """


LEFT_OUT = "excluded by the selection of checks"
"""The reason why a check was skipped that the caller did not select."""

NOT_RUN = "not-run"
"""The kind of the finding that a check was not run, though the manifest's policy or track requires it."""


class NotApplicable(Exception):  # noqa: N818 - not an error: the check is skipped
    """What a check lacks, so that it cannot be run, or not on all platforms.

    A check that was not run has found nothing, so this becomes a finding of the kind `NOT_RUN`.

    Parameters
    ----------
    reason
        What is missing.
    action
        How to get it.
    platforms
        The platforms that were not checked; none means all.
    """

    def __init__(self, reason: str, *, action: str, platforms: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.action = action
        self.platforms = platforms


class Status(enum.Enum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - a status
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOutcome:
    """A check's status, the reason if it was skipped, and its findings.

    A check that lacked something has a finding of the kind `NOT_RUN`. One that was left out on request has
    none, and neither has one that needs another check that has failed, since that one has findings.
    """

    identifier: str
    title: str
    status: Status
    reason: str = ""
    findings: tuple[Finding, ...] = ()


def documentation(check: Check) -> str:
    """Return the address of a check's documentation, relative to the repository's root."""
    return f"docs/reference/checks.md#{check.identifier}"


def archives_not_opened() -> NotApplicable:
    """Return what checks of archives lack if those were not opened."""
    return NotApplicable(
        "the archives were not opened",
        action="Run `cuvee check --archives`, or with `--no-archives` only the other checks.",
    )


def opened(release: ReleaseGraph) -> Iterator[tuple[PlatformGraph, PrefixContents]]:
    """Yield each platform with the contents of its archives.

    Raises
    ------
    NotApplicable
        If the archives were not opened.
    """
    for graph in release.platforms:
        if graph.contents is None:
            raise archives_not_opened()
        yield graph, graph.contents
