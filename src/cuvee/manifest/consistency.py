"""Checks across values: what a manifest states in one place must be consistent with the others."""

import datetime as dt
import fnmatch
from itertools import chain
from pathlib import Path

from cuvee.manifest.approval_rules import check_approvals
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.suggestions import did_you_mean, listing, quote
from cuvee.manifest.documents.validated_tree import (
    ListValue,
    MappingValue,
    entries_at,
    entry_at,
    items_at,
    scalar_at,
    scalars_at,
    text_at,
)
from cuvee.platforms import PLATFORMS, PROCESSOR_FAMILIES

INSTALL_SUITE = "smoke"
"""The suite of the installation itself, which is tested whether the manifest names the suite or not."""


def check_tree(tree: MappingValue, problems: Problems) -> None:
    """Check an evaluated tree, with everything it inherits."""
    checks = (
        _platforms,
        _packages,
        _known_platforms,
        _tested,
        _processors,
        _formats,
        _owners,
        _constraints,
        _licenses,
        _waived,
        check_approvals,
    )
    for check in checks:
        check(tree, problems)


def check_dates(tree: MappingValue, path: Path, today: dt.date, problems: Problems) -> None:
    """Note waivers of the manifest at ``path``, own or inherited, whose last day is before ``today``."""
    for waiver in items_at(tree, "waivers"):
        expires = scalar_at(waiver, "expires")
        if expires is not None and isinstance(expires.value, dt.date) and expires.value < today:
            inherited = expires.span.source.path != path
            days = (today - expires.value).days
            problems.add(
                expires.span,
                f"this waiver ended {days:,} day{'s' if days > 1 else ''} ago",
                advice=f"it is inherited: state waivers in {path.name} without it"
                if inherited
                else "fix what it covers, or decide again and set a new date",
            )


def _platforms(tree: MappingValue, problems: Problems) -> None:
    entry = entry_at(tree, "platforms")
    if entry is None or not isinstance(entry.value, MappingValue):
        return
    names = entry.value.entries
    if not names:
        problems.add(entry.key, "the release has no platform", advice="add linux-64: {}")
    elif all(scalar_at(platform.value, "absent") for platform in names.values()):
        problems.add(entry.key, "every platform is absent", expected="at least one that the release is for")


def _packages(tree: MappingValue, problems: Problems) -> None:
    entry = entry_at(tree, "packages")
    if entry is not None and isinstance(entry.value, MappingValue) and not entry.value.entries:
        problems.add(entry.key, "the release has no package", advice='add python: "3.11.*"')


def _known_platforms(tree: MappingValue, problems: Problems) -> None:
    known = [name for name, _ in entries_at(tree, "platforms")]
    packages = (scalars_at(package.value, "platforms") for _, package in entries_at(tree, "packages"))
    waivers = (scalar_at(waiver, "platform") for waiver in items_at(tree, "waivers"))
    for platform in (*chain.from_iterable(packages), *waivers):
        if known and platform is not None and platform.value not in known:
            problems.add(
                platform.span,
                f"the release has no platform {quote(str(platform.value))}",
                advice=f"add it to platforms, or use {listing(known)}",
            )


def _processors(tree: MappingValue, problems: Problems) -> None:
    """Note processor families that archspec does not know: no package's requirement would match them."""
    for name, platform in entries_at(tree, "platforms"):
        known = PROCESSOR_FAMILIES.get(name.partition("-")[2], [])
        family = scalar_at(platform.value, "floor", "archspec")
        if family is not None and known and family.value not in known:
            problems.add(
                family.span,
                f"{name} has no processor family {quote(str(family.value))}",
                advice=did_you_mean(str(family.value), known),
                expected=f"a name of archspec, such as {listing(known[:4])}",
            )


def _tested(tree: MappingValue, problems: Problems) -> None:
    """Note platforms and suites of ``policy.platforms`` that the release does not have."""
    entries = entries_at(tree, "platforms")
    present = [name for name, platform in entries if not scalar_at(platform.value, "absent")]
    suites = [INSTALL_SUITE, *(str(suite.value) for suite in scalars_at(tree, "suites"))]
    for name, required in entries_at(tree, "policy", "platforms"):
        if present and name not in present:
            problems.add(
                required.key,
                f"the release is not made for {quote(name)}, so nothing can be run there",
                advice=f"remove it, or use {listing(present)}",
            )
        for suite in scalars_at(tree, "policy", "platforms", name):
            if suite.value not in suites:
                problems.add(
                    suite.span,
                    f"the release has no suite {quote(str(suite.value))}",
                    advice=did_you_mean(str(suite.value), suites) or "add it to suites",
                    expected=f"one of {listing(list(dict.fromkeys(suites)))}",
                )


def _owners(tree: MappingValue, problems: Problems) -> None:
    known = [name for name, _ in entries_at(tree, "owners")]
    for _, package in entries_at(tree, "packages"):
        owner = scalar_at(package.value, "owner")
        if owner is not None and owner.value not in known:
            name = str(owner.value)
            likely = did_you_mean(name, known)
            problems.add(
                owner.span,
                f"the owner {quote(name)} is not declared",
                advice=likely or f"add {name}: {{contact: …}} to owners",
                expected=f"one of {listing(known)}" if known and not likely else "",
            )


def _constraints(tree: MappingValue, problems: Problems) -> None:
    from cuvee.manifest.range_validation import contradict

    for name, constraint in entries_at(tree, "constraints"):
        limit = scalar_at(constraint.value, "version")
        requested = scalar_at(tree, "packages", name, "version")
        if limit and requested and contradict(str(limit.value), str(requested.value)):
            both = f"{quote(str(limit.value))} and {quote(str(requested.value))}"
            problems.add(
                limit.span,
                f"no version of {name} satisfies both {both}",
                related=(requested.span, "the blessed set requires this"),
            )


def _licenses(tree: MappingValue, problems: Problems) -> None:
    denied = {scalar.value: scalar.span for scalar in scalars_at(tree, "policy", "licenses", "deny")}
    for scalar in scalars_at(tree, "policy", "licenses", "allow"):
        if scalar.value in denied:
            problems.add(
                scalar.span,
                f"{scalar.value} is both allowed and denied",
                related=(denied[scalar.value], "denied here"),
            )


def _formats(tree: MappingValue, problems: Problems) -> None:
    known = {PLATFORMS[name].system for name, _ in entries_at(tree, "platforms")}
    for system, formats in entries_at(tree, "installers", "formats"):
        wanted = isinstance(formats.value, ListValue) and formats.value.items
        if known and wanted and system not in known:
            problems.add(
                formats.key,
                f"the release has no platform of the system {quote(system)}",
                advice=f"add one to platforms, or use {listing(sorted(known))}",
            )


def _waived(tree: MappingValue, problems: Problems) -> None:
    """Note waivers for tests of suites that the release does not have."""
    known = sorted({INSTALL_SUITE, *(str(suite.value) for suite in scalars_at(tree, "suites"))})
    for waiver in items_at(tree, "waivers"):
        check = scalar_at(waiver, "check")
        suite, is_test, _ = str(check.value).partition("/") if check is not None else ("", "", "")
        if check is not None and is_test and not any(fnmatch.fnmatchcase(name, suite) for name in known):
            problems.add(
                check.span,
                f"the release has no suite {quote(suite)}",
                advice=did_you_mean(suite, known) or "add it to suites, or remove the waiver",
                expected=f"a test of {listing(known)}",
            )


def check_file_name(tree: MappingValue, path: Path, problems: Problems) -> None:
    """Note a file name that differs from the version."""
    version = scalar_at(tree, "version")
    if version is not None and path.name != f"{version.value}.yaml":
        problems.add(
            version.span,
            f"the file is called {path.name}, but its version is {version.value}",
            advice="rename the file, or correct the version",
        )


def check_folder_name(tree: MappingValue, path: Path, problems: Problems) -> None:
    """Note a folder whose name differs from the distribution's."""
    folder = path.parent.resolve().name
    distribution = scalar_at(tree, "distribution")
    if distribution is not None and distribution.value != folder:
        name = quote(str(distribution.value))
        problems.add(
            distribution.span,
            f"the manifest is in the folder {quote(folder)}, but its distribution is {name}",
            advice="move the file, or correct the name",
        )


def check_base(child: MappingValue, base: MappingValue, problems: Problems) -> None:
    """Note a base that belongs to another distribution."""
    stated = scalar_at(child, "based-on")
    if stated is None:
        return
    mine, other = text_at(child, "distribution"), scalar_at(base, "distribution")
    if mine and other and other.value != mine:
        problems.add(
            stated.span,
            f"the base belongs to the distribution {quote(str(other.value))}, not to {quote(mine)}",
            related=(other.span, "stated here"),
        )
