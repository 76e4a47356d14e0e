"""Checks across values: what a manifest says in one place must fit what it says in another."""

import datetime as dt
from pathlib import Path

from cuvee.manifest.finding import entries_at, entry_at, items_at, leaf_at, leaves_at, text_at
from cuvee.manifest.problems import Problems, did_you_mean, listing, quote
from cuvee.manifest.stating import Leaf, Table


def check_tree(tree: Table, problems: Problems) -> None:
    """Check an evaluated tree, with everything it inherits."""
    for check in (_platforms, _packages, _owners, _constraints, _licenses, _waiver_scopes):
        check(tree, problems)


def check_dates(tree: Table, path: Path, today: dt.date, problems: Problems) -> None:
    """Note waivers of the manifest at ``path``, own or inherited, whose last day is before ``today``."""
    for waiver in items_at(tree, "waivers"):
        expires = leaf_at(waiver, "expires")
        if expires is not None and isinstance(expires.value, dt.date) and expires.value < today:
            inherited = expires.place.source.path != path
            days = (today - expires.value).days
            problems.add(
                expires.place,
                f"this waiver ended {days:,} day{'s' if days > 1 else ''} ago",
                advice=f"it is inherited: state waivers in {path.name} without it"
                if inherited
                else "mend what it covers, or decide again and set a new date",
            )


def _platforms(tree: Table, problems: Problems) -> None:
    entry = entry_at(tree, "platforms")
    if entry is None or not isinstance(entry.value, Table):
        return
    names = entry.value.entries
    if not names:
        problems.add(entry.key, "the release has no platform", advice="add linux-64: {}")
    elif all(leaf_at(platform.value, "absent") for platform in names.values()):
        problems.add(entry.key, "every platform is absent", expected="at least one that the release is for")


def _packages(tree: Table, problems: Problems) -> None:
    entry = entry_at(tree, "packages")
    if entry is not None and isinstance(entry.value, Table) and not entry.value.entries:
        problems.add(entry.key, "the release has no package", advice='add python: "3.11.*"')
    if entry_at(tree, "platforms") is None:
        return
    known = [name for name, _ in entries_at(tree, "platforms")]
    for _, package in entries_at(tree, "packages"):
        for platform in leaves_at(package.value, "platforms"):
            _known_platform(platform, known, problems)


def _waiver_scopes(tree: Table, problems: Problems) -> None:
    if entry_at(tree, "platforms") is None:
        return
    known = [name for name, _ in entries_at(tree, "platforms")]
    for waiver in items_at(tree, "waivers"):
        platform = leaf_at(waiver, "platform")
        if platform is not None:
            _known_platform(platform, known, problems)


def _known_platform(platform: Leaf, known: list[str], problems: Problems) -> None:
    if known and platform.value not in known:
        problems.add(
            platform.place,
            f"the release has no platform {quote(str(platform.value))}",
            advice=f"add it to platforms, or use {listing(known)}",
        )


def _owners(tree: Table, problems: Problems) -> None:
    known = [name for name, _ in entries_at(tree, "owners")]
    for _, package in entries_at(tree, "packages"):
        owner = leaf_at(package.value, "owner")
        if owner is not None and owner.value not in known:
            name = str(owner.value)
            likely = did_you_mean(name, known)
            problems.add(
                owner.place,
                f"the owner {quote(name)} is not declared",
                advice=likely or f"add {name}: {{contact: …}} to owners",
                expected=f"one of {listing(known)}" if known and not likely else "",
            )


def _constraints(tree: Table, problems: Problems) -> None:
    from cuvee.manifest.ranges import contradict

    for name, constraint in entries_at(tree, "constraints"):
        limit = leaf_at(constraint.value, "version")
        wanted = leaf_at(tree, "packages", name, "version")
        if limit and wanted and contradict(str(limit.value), str(wanted.value)):
            both = f"{quote(str(limit.value))} and {quote(str(wanted.value))}"
            problems.add(
                limit.place,
                f"no version of {name} satisfies both {both}",
                related=(wanted.place, "the blessed set asks for this"),
            )


def _licenses(tree: Table, problems: Problems) -> None:
    denied = {leaf.value: leaf.place for leaf in leaves_at(tree, "policy", "licenses", "deny")}
    for leaf in leaves_at(tree, "policy", "licenses", "allow"):
        if leaf.value in denied:
            problems.add(
                leaf.place,
                f"{leaf.value} is both allowed and denied",
                related=(denied[leaf.value], "denied here"),
            )


def check_file_name(tree: Table, path: Path, problems: Problems) -> None:
    """Note a file name that differs from the version."""
    version = leaf_at(tree, "version")
    if version is not None and path.name != f"{version.value}.yaml":
        problems.add(
            version.place,
            f"the file is called {path.name}, but its version is {version.value}",
            advice="rename the file, or correct the version",
        )


def check_folder_name(tree: Table, path: Path, problems: Problems) -> None:
    """Note a folder whose name differs from the distribution's."""
    folder = path.parent.resolve().name
    distribution = leaf_at(tree, "distribution")
    if distribution is not None and distribution.value != folder:
        name = quote(str(distribution.value))
        problems.add(
            distribution.place,
            f"the manifest is in the folder {quote(folder)}, but its distribution is {name}",
            advice="move the file, or correct the name",
        )


def check_base(child: Table, base: Table, problems: Problems) -> None:
    """Note a base that belongs to another distribution."""
    stated = leaf_at(child, "based-on")
    if stated is None:
        return
    mine, other = text_at(child, "distribution"), leaf_at(base, "distribution")
    if mine and other and other.value != mine:
        problems.add(
            stated.place,
            f"the base belongs to the distribution {quote(str(other.value))}, not to {quote(mine)}",
            related=(other.place, "stated here"),
        )
