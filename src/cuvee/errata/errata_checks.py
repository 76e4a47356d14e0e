"""Checking errata against the locks of releases. Nothing here uses the disk or the clock."""

from collections.abc import Iterator, Sequence

from cuvee.errata.model import (
    CheckedErratum,
    Erratum,
    ErratumFinding,
    FlawStatus,
    KnownRelease,
    PlatformStatus,
)
from cuvee.graph.release_graph import meets
from cuvee.lock.model import PlatformLock
from cuvee.manifest.documents.suggestions import did_you_mean, listing
from cuvee.manifest.model import ReleaseVersion

_AFFECTED, _FIXED = "affected-releases", "fixed-releases"


def check_errata(errata: Sequence[Erratum], known: Sequence[KnownRelease]) -> tuple[CheckedErratum, ...]:
    """Return each erratum with what the locks of known releases say of it."""
    return tuple(check_erratum(item, known) for item in errata)


def check_erratum(erratum: Erratum, known: Sequence[KnownRelease]) -> CheckedErratum:
    """Return an erratum with what the locks of known releases say of it."""
    own = sorted(
        (item for item in known if item.distribution == erratum.distribution), key=lambda item: item.version
    )
    statuses = tuple(
        platform_status(erratum, item.version, lock)
        for item in own
        if item.lock is not None
        for lock in item.lock.platforms
    )
    check = _Check(erratum, own, statuses, {item.distribution for item in known})
    return CheckedErratum(erratum=erratum, statuses=statuses, findings=tuple(check.findings()))


def platform_status(erratum: Erratum, version: ReleaseVersion, lock: PlatformLock) -> PlatformStatus:
    """Return what an erratum means for a release on one platform, whatever the erratum states of it."""
    there = [(flaw, lock.by_name[flaw.package]) for flaw in erratum.flaws if flaw.package in lock.by_name]
    fixed = tuple(
        package
        for flaw, package in there
        if flaw.fixed and meets(f"{flaw.package} {flaw.fixed} {flaw.fixed_build}", package)
    )
    affected = tuple(
        package
        for flaw, package in there
        if package not in fixed and meets(f"{flaw.package} {flaw.affected}", package)
    )
    if not there:
        status = FlawStatus.ABSENT
    elif affected:
        status = FlawStatus.AFFECTED
    else:
        status = FlawStatus.FIXED if len(fixed) == len(there) else FlawStatus.NOT_AFFECTED
    return PlatformStatus(
        version=version, platform=lock.platform, status=status, affected=affected, fixed=fixed
    )


class _Check:
    """Compares what one erratum states with the statuses that follow from the locks."""

    def __init__(
        self,
        erratum: Erratum,
        known: Sequence[KnownRelease],
        statuses: Sequence[PlatformStatus],
        distributions: set[str],
    ) -> None:
        self._erratum = erratum
        self._known = {item.version: item for item in known}
        self._statuses = statuses
        self._distributions = distributions

    def findings(self) -> Iterator[ErratumFinding]:
        """Yield what does not hold, or could not be checked."""
        erratum = self._erratum
        if not self._known:
            yield self._finding(
                ("distribution",),
                f"no release of {erratum.distribution} is known",
                did_you_mean(erratum.distribution, self._distributions),
                unchecked=True,
            )
            return
        yield from self._stated(_AFFECTED, erratum.affected_releases, FlawStatus.AFFECTED)
        yield from self._stated(_FIXED, erratum.fixed_releases, FlawStatus.FIXED)
        yield from self._others()
        yield from self._packages()

    def _stated(
        self, key: str, versions: Sequence[ReleaseVersion], expected: FlawStatus
    ) -> Iterator[ErratumFinding]:
        for version in versions:
            where, name = (key, str(version)), self._erratum.release_name(version)
            known = self._known.get(version)
            if known is None:
                advice = did_you_mean(str(version), map(str, self._known))
                yield self._finding(where, f"there is no release {name}", advice)
            elif known.lock is None:
                advice = f"make {name} again, or name its folder with --dist"
                yield self._finding(where, f"{name} is not checked: {known.problem}", advice, unchecked=True)
            else:
                yield from self._platforms(where, version, expected)

    def _platforms(
        self, where: tuple[str, ...], version: ReleaseVersion, expected: FlawStatus
    ) -> Iterator[ErratumFinding]:
        """Yield on which of its platforms a release is not as it is stated to be."""
        erratum, name = self._erratum, self._erratum.release_name(version)
        found = {item.platform: item for item in self._statuses if item.version == version}
        for platform in erratum.platforms:
            if platform not in found:
                message = f"{name} has no lock for {platform}"
                yield self._finding(("platforms", platform), message, unchecked=True)
        there = [
            item
            for item in found.values()
            if item.platform in erratum.platforms
            or (not erratum.platforms and item.status is not FlawStatus.ABSENT)
        ]
        if not there and not erratum.platforms:
            packages = " or ".join(flaw.package for flaw in erratum.flaws)
            yield self._finding(where, f"{name} has no {packages} on any platform")
        for item in there:
            if item.status is not expected:
                message = f"{name} is not {expected.value} on {item.platform}: {self._contents(item)}"
                advice = "" if erratum.platforms else "correct the ranges, or state platforms"
                yield self._finding(where, message, advice)

    def _others(self) -> Iterator[ErratumFinding]:
        """Yield releases and platforms that have the flaw, though the erratum does not state that."""
        erratum = self._erratum
        for item in self._statuses:
            if item.status is not FlawStatus.AFFECTED:
                continue
            name, stated = erratum.release_name(item.version), item.version in erratum.affected_releases
            fixed_in = erratum.fix_for(item.version)
            if fixed_in is not None and fixed_in != item.version:
                message = (
                    f"the flaw is back in {name} on {item.platform}, though {fixed_in} has the fix: "
                    f"{self._contents(item)}"
                )
                yield self._finding((_FIXED, str(fixed_in)), message)
            elif item.version in erratum.fixed_releases:
                if erratum.platforms and item.platform not in erratum.platforms:
                    message = f"{name} has the flaw on {item.platform}: {self._contents(item)}"
                    yield self._finding(("platforms",), message, f"add {item.platform}")
            elif not stated:
                message = f"{name} is affected on {item.platform}, and not stated: {self._contents(item)}"
                yield self._finding((_AFFECTED,), message, f"add {item.version}")
            elif erratum.platforms and item.platform not in erratum.platforms:
                message = f"{name} is affected on {item.platform}, too: {self._contents(item)}"
                yield self._finding(("platforms",), message, f"add {item.platform}")

    def _packages(self) -> Iterator[ErratumFinding]:
        """Yield packages whose flaw no release has that is stated to be affected."""
        affected = self._erratum.affected_releases
        if not all((known := self._known.get(version)) and known.lock for version in affected):
            return  # said already
        stated = [item for item in self._statuses if item.version in affected]
        locks = [known.lock for known in self._known.values() if known.lock is not None]
        names = {name for lock in locks for item in lock.platforms for name in item.by_name}
        for flaw in self._erratum.flaws:
            if not any(package.name == flaw.package for item in stated for package in item.affected):
                message = f"no affected release has a {flaw.package} {flaw.affected}"
                advice = "" if flaw.package in names else did_you_mean(flaw.package, names)
                yield self._finding(("packages", flaw.package), message, advice)

    def _contents(self, item: PlatformStatus) -> str:
        """Return what a release has of the packages on a platform."""
        known = self._known[item.version]
        lock = known.lock.by_platform[item.platform] if known.lock is not None else None
        packages = [lock.by_name.get(flaw.package) for flaw in self._erratum.flaws] if lock else []
        shown = [f"{package.name} {package.version} {package.build}" for package in packages if package]
        return f"it has {listing(shown)}" if shown else "it has none of the packages"

    def _finding(
        self, keys: tuple[str, ...], message: str, advice: str = "", *, unchecked: bool = False
    ) -> ErratumFinding:
        return ErratumFinding(
            number=self._erratum.number, keys=keys, message=message, advice=advice, unchecked=unchecked
        )
