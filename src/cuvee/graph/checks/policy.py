"""Checks of the manifest's policy on owners, channels and age."""

from collections.abc import Iterable

from cuvee.channel.connection import rattler_channel
from cuvee.conda.url_secrets import without_secrets
from cuvee.graph.checks.check_interface import ADVICE, STRICTER_WITH_SUPPORT, Check, NotApplicable
from cuvee.graph.checks.finding_collector import FindingCollector, by_waiver
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph


class OwnersCheck(Check):
    """Every requested package has an owner."""

    identifier = "owners"
    family = "policy"
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        manifest = release.manifest
        without = {package.name: package for package in manifest.packages if package.owner is None}
        for names in by_waiver(self, sorted(without), release):
            subject = f"{names[0]} has" if len(names) == 1 else f"{len(names)} packages have"
            yield Finding(
                check=self.identifier,
                verdict=Verdict.BLOCKED if manifest.owners else Verdict.INFO,
                cause=f"{subject} no owner",
                packages=tuple(names),
                platforms=tuple(dict.fromkeys(where for name in names for where in without[name].platforms)),
                evidence=tuple(f"{name}: {without[name].position}" for name in names),
                action="Name an owner in the manifest.",
            )


class OriginCheck(Check):
    """Every package comes from a channel of the manifest, and from the same one on every platform."""

    identifier = "origin"
    family = "policy"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        known = {_address(str(rattler_channel(name).base_url)) for name in release.manifest.channels}
        causes = FindingCollector(self, release)
        channels: dict[str, dict[str, list[str]]] = {}
        for package in release.packages():
            address = "the release's own channel" if package.is_local else _address(package.channel)
            channels.setdefault(package.name, {}).setdefault(address, []).append(package.platform)
            if not package.is_local and address not in known:
                cause = f"{package.name} comes from {address}, which is not a channel of the manifest"
                source = f"from {without_secrets(package.url)}"
                causes.add(cause, victim=package, evidence=source, kind="unknown-channel")
        yield from causes.findings("Name the channel in the manifest, or solve again.")
        for name, where in sorted(channels.items()):
            if len(where) > 1:
                yield Finding(
                    check=self.identifier,
                    verdict=Verdict.WARNING,
                    kind="several-channels",
                    cause=f"{name} comes from several channels: "
                    + ", ".join(f"{address} on {' and '.join(names)}" for address, names in where.items()),
                    packages=(name,),
                    platforms=tuple(platform for names in where.values() for platform in names),
                    action="No action is needed if it is intended.",
                )


class AgeCheck(Check):
    """The age of every package from a channel is within the manifest's bounds."""

    identifier = "age"
    family = "policy"
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        policy = release.manifest.policy.age
        today = release.manifest.exclude_newer or release.today
        if policy.at_least is None and policy.at_most is None:
            return
        if today is None:
            raise NotApplicable(
                "the day of the release is not known", action="Pass it: `build_graph(..., today=...)`."
            )
        causes = FindingCollector(self, release)
        for package in release.packages():
            if package.is_local:
                continue
            if package.timestamp is None:
                cause = f"{package.name} {package.version} has no timestamp, so its age is not known"
                causes.add(cause, victim=package, evidence=f"from {package.channel}", kind="unknown")
                continue
            # Whole days from a time in milliseconds; at most 40,000 either way.
            seconds = today.timestamp() - package.timestamp / 1000
            days = max(-40_000, min(40_000, int(seconds // 86_400)))
            if policy.at_least is not None and days < policy.at_least:
                bound, kind = f"newer than {policy.at_least} days", "too-new"
            elif policy.at_most is not None and days > policy.at_most:
                bound, kind = f"older than {policy.at_most} days", "too-old"
            else:
                continue
            cause = f"{package.name} {package.version} is {bound}"
            evidence = f"{package.stem} was built {days} days before {today:%Y-%m-%d}"
            causes.add(cause, victim=package, evidence=evidence, kind=kind)
        yield from causes.findings("Take another version, or change the bound in `policy.age`.")


def _address(url: str) -> str:
    return without_secrets(url).rstrip("/")
