"""Checks that the licences of the set are known and permitted."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks.check_interface import STRICTER_WITH_SUPPORT, Check
from cuvee.graph.checks.finding_collector import FindingCollector, by_waiver
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.manifest.model import LicensePolicy
from cuvee.spdx import licensing, read_license

if TYPE_CHECKING:
    from license_expression import LicenseExpression

_VERSIONS = {
    "AGPL": ("1.0", "3.0"),
    "GFDL": ("1.1", "1.2", "1.3"),
    "GPL": ("1.0", "2.0", "3.0"),
    "LGPL": ("2.0", "2.1", "3.0"),
}
"""The versions of licence families that have ``or-later`` identifiers, oldest first; https://spdx.org/licenses/."""


class LicensesCheck(Check):
    """Every licence is one that the manifest's policy permits."""

    identifier = "licenses"
    family = "policy"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        policy = canonical_policy(release.manifest.policy.licenses)
        causes = FindingCollector(self, release)
        if policy.allow or policy.deny:
            for package in release.packages():
                self._judge(causes, package, policy)
        yield from causes.findings("Take another package, allow the licence, or record a waiver.")

    def _judge(self, causes: FindingCollector, package: LockedPackage, policy: LicensePolicy) -> None:
        stated = package.license or ""
        expression = read_license(stated)
        if expression is None and policy.allow:
            causes.add(
                f"{package.name} {_states(stated)}, which is not a licence that the manifest allows",
                victim=package,
                kind="unknown",
            )
        if expression is None or permits(policy, expression):
            return
        is_denied = not permits(LicensePolicy(deny=policy.deny), expression)
        causes.add(
            f"{package.name} is under {expression}, which the manifest "
            + ("denies" if is_denied else "does not allow"),
            victim=package,
            evidence=f"{package.stem} states {stated!r}",
            kind="denied" if is_denied else "not-allowed",
        )


class UnknownLicensesCheck(Check):
    """Every package states its licence as an SPDX expression, or in words with a known meaning."""

    identifier = "unknown-licenses"
    family = "policy"
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        unknown: dict[str, list[LockedPackage]] = {}
        for package in release.packages():
            if read_license(package.license or "") is None:
                unknown.setdefault(package.name, []).append(package)
        for names in by_waiver(self, sorted(unknown), release):
            found = [package for name in names for package in unknown[name]]
            subject = f"{names[0]} is" if len(names) == 1 else f"{len(names)} packages are"
            stated = {package.stem: _states(package.license or "") for package in found}
            yield Finding(
                check=self.identifier,
                verdict=Verdict.BLOCKED,
                cause=f"{subject} under an unknown licence",
                packages=tuple(names),
                victims=tuple(package.identifier for package in found),
                platforms=tuple(dict.fromkeys(package.platform for package in found)),
                evidence=tuple(f"{stem} {words}" for stem, words in stated.items()),
                action="Ask the recipe or project to state an SPDX expression.",
            )


def canonical_policy(policy: LicensePolicy) -> LicensePolicy:
    """Return the policy with SPDX's current identifiers: ``GPL-3.0`` is now ``GPL-3.0-only``."""

    def current(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(read_license(name) or name) for name in names)

    return LicensePolicy(allow=current(policy.allow), deny=current(policy.deny))


def _states(text: str) -> str:
    shown = text if len(text) <= 80 else f"{text[:80]}…"  # noqa: PLR2004 - about a line
    return f"states {shown!r}" if text.strip() else "states no licence"


def permits(policy: LicensePolicy, expression: "LicenseExpression") -> bool:
    """Return whether a policy permits a licence.

    One operand of ``OR`` must be permitted, all operands of ``AND``. ``or-later`` is a choice among that
    version and later ones. A licence ``WITH`` an exception is permitted if the exception is in ``allow``, or
    if the licence is permitted without it.
    """
    algebra = licensing()
    if isinstance(expression, algebra.OR):
        return any(permits(policy, part) for part in expression.args)
    if isinstance(expression, algebra.AND):
        return all(permits(policy, part) for part in expression.args)
    if hasattr(expression, "exception_symbol"):
        exception = expression.exception_symbol.key
        return exception not in policy.deny and (
            exception in policy.allow or permits(policy, expression.license_symbol)
        )
    return _permits_one(policy, str(expression.key))


def _permits_one(policy: LicensePolicy, identifier: str) -> bool:
    if identifier in policy.deny:
        return False
    if not policy.allow and not policy.deny:
        return True
    choices = _choices(identifier)
    if choices:
        return identifier in policy.allow or any(_permits_one(policy, choice) for choice in choices)
    return not policy.allow or identifier in policy.allow


def _choices(identifier: str) -> list[str]:
    """Return the licences that ``or-later`` lets the user choose from; none for other identifiers."""
    family, _, rest = identifier.partition("-")
    version, _, suffix = rest.partition("-")
    versions = _VERSIONS.get(family, ())
    if suffix != "or-later" or version not in versions:
        return []
    return [f"{family}-{later}-only" for later in versions[versions.index(version) :]]
