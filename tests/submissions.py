"""A submission that passes everything, to change one thing at a time."""

import datetime as dt
from dataclasses import replace
from typing import Any

from checked_sets import asked, lock_of, manifest_of, package
from cuvee.inclusion.checklist import checklist_of
from cuvee.inclusion.model import (
    ChecklistItem,
    PackageClaims,
    PlatformAddition,
    Submission,
    UpstreamRelease,
    UpstreamReleases,
)
from cuvee.manifest.model import InclusionPolicy, LicensePolicy, Owner, Policy

TODAY = dt.datetime(2026, 11, 30, tzinfo=dt.UTC)
NEW = package("httpx", "2.0", size=1000, timestamp=1_790_000_000_000)
HELPER = package("sniffio", "1.0", size=2000, license="Apache-2.0")
MEMBER = package("numpy")
CLAIMS = PackageClaims(
    summary="A client",
    license_files=("LICENSE",),
    links=("home: https://example.org",),
    maintainers=("ada",),
    recipe="recipe/recipe.yaml",
    tests=("imports",),
)


def released(days: int | None, version: str = "2.0") -> UpstreamRelease:
    """A release that many days ago."""
    return UpstreamRelease(
        version=version, published=None if days is None else TODAY - dt.timedelta(days=days)
    )


GOOD = Submission(
    manifest=manifest_of(
        asked("numpy"),
        owners=(Owner(name="core", contact="core@example.org", accepts={"httpx": dt.date(2026, 11, 20)}),),
        policy=Policy(
            licenses=LicensePolicy(deny=("AGPL-3.0-only",)),
            inclusion=InclusionPolicy(binding=("solves", "owner"), most_packages=3),
        ),
    ),
    name="httpx",
    wanted="httpx *",
    platforms=("linux-64",),
    owner="core",
    before=lock_of(MEMBER),
    after=lock_of(MEMBER, NEW, HELPER),
    additions=(PlatformAddition(platform="linux-64", packages=(NEW, HELPER)),),
    claims={NEW.identifier: CLAIMS},
    upstream=UpstreamReleases(source="the channels", releases=(released(900, "1.0"), released(30))),
    today=TODAY,
)


def items(**changes: Any) -> dict[str, ChecklistItem]:
    """Return the items of the good submission with other attributes."""
    return {item.identifier: item for item in checklist_of(replace(GOOD, **changes)).items}


def policy(**changes: Any) -> Any:
    """Return the manifest of the good submission with another policy."""
    return replace(GOOD.manifest, policy=replace(GOOD.manifest.policy, **changes))
