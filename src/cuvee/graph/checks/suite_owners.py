"""The check that somebody acts on what a suite finds."""

from collections.abc import Iterable

from cuvee.graph.checks.check_interface import ADVICE, Check, NotApplicable
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.manifest.documents.suggestions import listing


class SuiteOwnersCheck(Check):
    """Every suite has an owner, if the manifest has owners."""

    identifier = "suite-owners"
    family = "tests"
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        owners = sorted(owner.name for owner in release.manifest.owners)
        if release.tests is None:
            raise NotApplicable("the release has not been tested", action="Run `cuvee test`.")
        for suite in release.unowned_suites if owners else ():
            yield Finding(
                check=self.identifier,
                verdict=Verdict.WARNING,
                cause=f"The suite {suite} has no owner, so it is not known who acts on its failures",
                evidence=(f"integration_tests/{suite}/suite.yaml has no `owner`",),
                action=f"Write `owner: {owners[0]}` there, or another of {listing(owners)}."
                if len(owners) > 1
                else f"Write `owner: {owners[0]}` there.",
            )
