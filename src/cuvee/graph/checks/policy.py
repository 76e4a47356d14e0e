"""Does the set keep to what the manifest says of owners, channels and age?"""

import datetime as dt
from collections.abc import Iterable, Iterator

from cuvee.channel.connection import rattler_channel
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import without_secrets
from cuvee.graph.checks.check_protocol import ADVICE, STRICT, STRICTER_WITH_SUPPORT
from cuvee.graph.checks.finding_collector import FindingCollector, by_waiver
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph


class OwnersCheck:
    """Somebody acts on findings about each blessed package."""

    identifier = "owners"
    family = "policy"
    title = "Every package of the blessed set has an owner."
    prerequisites: tuple[str, ...] = ()
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """List packages of the set without an owner; where nobody owns anything, that is only told."""
        manifest = release.manifest
        without = {package.name: package for package in manifest.packages if package.owner is None}
        for names in by_waiver(self, sorted(without), release):
            who = f"{names[0]} has" if len(names) == 1 else f"{len(names)} packages have"
            yield Finding(
                check=self.identifier,
                verdict=Verdict.BLOCKED if manifest.owners else Verdict.INFO,
                cause=f"{who} no owner",
                packages=tuple(names),
                platforms=tuple(dict.fromkeys(where for name in names for where in without[name].platforms)),
                evidence=tuple(f"{name}: {without[name].position}" for name in names),
                action="Name an owner in the manifest.",
            )


class OriginCheck:
    """Packages come from where the manifest says."""

    identifier = "origin"
    family = "policy"
    title = "Every package comes from a channel of the manifest, and from the same one on every platform."
    prerequisites: tuple[str, ...] = ()
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find packages of channels that the manifest does not name, and names that come from several."""
        known = {_address(str(rattler_channel(name).base_url)) for name in release.manifest.channels}
        causes = FindingCollector(self, release)
        places: dict[str, dict[str, list[LockedPackage]]] = {}
        for graph in release.platforms:
            for package in graph.lock.packages:
                address = "the release's own channel" if package.is_local else _address(package.channel)
                places.setdefault(package.name, {}).setdefault(address, []).append(package)
                if not package.is_local and address not in known:
                    causes.add(
                        f"{package.name} comes from {address}, which is no channel of the manifest",
                        victim=package,
                        evidence=f"from {without_secrets(package.url)}",
                        kind="unknown-channel",
                    )
        yield from causes.findings("Name the channel in the manifest, or solve again.")
        yield from self._mixed(release, places)

    def _mixed(
        self, release: ReleaseGraph, places: dict[str, dict[str, list[LockedPackage]]]
    ) -> Iterator[Finding]:
        for name, found in sorted(places.items()):
            if len(found) > 1:
                where = {
                    address: [package.platform for package in packages] for address, packages in found.items()
                }
                yield Finding(
                    check=self.identifier,
                    verdict=Verdict.WARNING,
                    kind="several-channels",
                    cause=f"{name} comes from several channels: "
                    + ", ".join(f"{address} on {' and '.join(names)}" for address, names in where.items()),
                    packages=(name,),
                    platforms=tuple(platform for names in where.values() for platform in names),
                    owners=release.owners_of([name]),
                    action="Nothing, if it is meant to.",
                )


class AgeCheck:
    """Packages are neither too new nor too old."""

    identifier = "age"
    family = "policy"
    title = "Packages from channels are as old as the manifest asks."
    prerequisites: tuple[str, ...] = ()
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find packages that are younger or older than `policy.age` permits; imported ones have no age."""
        policy = release.manifest.policy.age
        today = release.manifest.exclude_newer or release.today
        if today is None or (policy.at_least is None and policy.at_most is None):
            return
        causes = FindingCollector(self, release)
        for graph in release.platforms:
            for package in graph.lock.packages:
                if package.is_local or package.timestamp is None:
                    continue
                days = _days(package.timestamp, today)
                if policy.at_least is not None and days < policy.at_least:
                    bound, kind = f"younger than {policy.at_least} days", "too-new"
                elif policy.at_most is not None and days > policy.at_most:
                    bound, kind = f"older than {policy.at_most} days", "too-old"
                else:
                    continue
                causes.add(
                    f"{package.name} {package.version} is {bound}",
                    victim=package,
                    evidence=f"{package.stem} was made {days} days before {today:%Y-%m-%d}",
                    kind=kind,
                )
        yield from causes.findings("Take another version, or state another bound in `policy.age`.")


def _days(timestamp: int, today: dt.datetime) -> int:
    """Give whole days between a time in milliseconds and ``today``; at most a lifetime either way."""
    seconds = today.timestamp() - timestamp / 1000
    return max(-40_000, min(40_000, int(seconds // 86_400)))


def _address(url: str) -> str:
    return without_secrets(url).rstrip("/")
