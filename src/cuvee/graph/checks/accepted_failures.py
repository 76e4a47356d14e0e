"""The check that what accepts a failing test is about a test of the release."""

import fnmatch
from collections.abc import Iterable, Iterator, Sequence

from cuvee.graph.checks.check_interface import ADVICE, Check, NotApplicable
from cuvee.graph.checks.manifest_names import ENDS_SOON
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import AcceptedFailure, PlatformTests, ReleaseGraph
from cuvee.manifest.documents.suggestions import nearest


class AcceptedFailuresCheck(Check):
    """Known failures, quarantine, rules for commands and waivers name tests; none ends soon or is over."""

    identifier = "accepted-failures"
    family = "tests"
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        if release.tests is None:
            raise NotApplicable("the release has not been tested", action="Run `cuvee test`.")
        for item in release.accepted:
            yield from self._unknown(item, release.tests)
            yield from self._passing(item, release.tests)
            if item.until is None or release.today is None:
                continue
            days = (item.until - release.today.date()).days
            if days < 0:
                cause = f"The {item.what} {item.pattern} ended on {item.until}; its tests count again"
                yield self._finding(item, cause, "Remove it, or decide again and set a new date.", "ended")
            elif days <= ENDS_SOON:
                cause = f"The {item.what} {item.pattern} ends on {item.until}"
                yield self._finding(item, cause, "Fix it, or decide again and set a new date.", "ends-soon")

    def _unknown(self, item: AcceptedFailure, tests: Sequence[PlatformTests]) -> Iterator[Finding]:
        """Yield that no test has this name, if the tests of its suite are known wherever it is accepted."""
        concerned = [one for one in tests if not item.platforms or one.platform in item.platforms]
        suite = item.pattern.partition("/")[0]
        if not concerned or not all(fnmatch.filter(one.ran, suite) for one in concerned):
            return
        names = frozenset[str]().union(*(one.tests for one in concerned))
        if not any(map(item.covers, names)):
            likely = nearest(item.pattern, sorted(names))
            action = f"Did you mean {likely}?" if likely else "Remove it, or correct what it names."
            cause = f"The {item.what} {item.pattern} matches no test"
            yield self._finding(item, cause, action, "unknown")

    def _passing(self, item: AcceptedFailure, tests: Sequence[PlatformTests]) -> Iterator[Finding]:
        """Yield that a test is expected to fail, and passes wherever it is expected to fail."""
        concerned = [one for one in tests if not item.platforms or one.platform in item.platforms]
        covered = [{name for name in one.tests if item.covers(name)} for one in concerned]
        all_pass = all(names <= one.passed for one, names in zip(concerned, covered, strict=True))
        if item.passing_is_news and all_pass and any(covered):
            cause = f"The {item.what} {item.pattern} passes"
            yield self._finding(item, cause, "Remove it, so that a failure counts again.", "passes")

    def _finding(self, item: AcceptedFailure, cause: str, action: str, kind: str) -> Finding:
        return Finding(
            check=self.identifier,
            verdict=Verdict.WARNING,
            kind=kind,
            cause=cause,
            platforms=item.platforms,
            evidence=(f"stated at {item.source}",),
            action=action,
        )
