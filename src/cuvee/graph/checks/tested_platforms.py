"""The check that the release was tested where it must be."""

from collections.abc import Iterable, Sequence

from cuvee.graph.checks.check_interface import Check, NotApplicable, Severity
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import PlatformTests, ReleaseGraph
from cuvee.manifest.model import Track

_FOR_APPROVAL = Severity(
    edge=Verdict.NEEDS_APPROVAL, stable=Verdict.NEEDS_APPROVAL, lts=Verdict.NEEDS_APPROVAL
)


class TestedCheck(Check):
    """Tests were run on every platform on which they must be."""

    __test__ = False

    identifier = "tested"
    family = "tests"
    severity = _FOR_APPROVAL

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        if release.tests is None:
            raise NotApplicable("the release has not been tested", action="Run `cuvee test`.")
        stated = release.manifest.policy.platforms
        support = release.manifest.support
        is_edge = support is not None and support.track is Track.EDGE
        for tests in release.tests:
            if stated is not None:
                missing = [suite for suite in stated.get(tests.platform, ()) if suite not in tests.ran]
                if missing:
                    listed = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
                    cause = f"No test of {listed} was run on {tests.platform}, where the manifest wants them"
                    yield self._finding(tests, cause, missing)
            elif tests.has_installer and not tests.ran and not is_edge:
                yield self._finding(tests, f"The installer for {tests.platform} was not tested")

    def _finding(self, tests: PlatformTests, cause: str, suites: Sequence[str] = ()) -> Finding:
        reasons = [f"{suite}: {tests.reasons[suite]}" for suite in suites if suite in tests.reasons]
        return Finding(
            check=self.identifier,
            verdict=Verdict.BLOCKED,
            cause=cause,
            platforms=(tests.platform,),
            evidence=(tests.not_run,) if tests.not_run else tuple(reasons),
            action="Test it with `cuvee test` on a host that can run it, or with `--emulate`; or waive it.",
        )
