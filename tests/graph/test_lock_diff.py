"""The diff of two locks: its algebra, its words, and five real releases against their official changelogs."""

import dataclasses
import re
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.conda.package_record import LockedPackage
from cuvee.errors import SourceUnreachableError
from cuvee.graph.diff import Change, ChangeKind, Level, PlatformChange, diff
from cuvee.lock.model import Lock, PlatformLock

PLATFORMS = ("linux-64", "osx-arm64", "win-64")
MIRROR = {
    ChangeKind.ADDED: ChangeKind.REMOVED,
    ChangeKind.REMOVED: ChangeKind.ADDED,
    ChangeKind.UPGRADED: ChangeKind.DOWNGRADED,
    ChangeKind.DOWNGRADED: ChangeKind.UPGRADED,
}


def locked(
    name: str,
    version: str = "1.0",
    build: str = "0",
    platform: str = "linux-64",
    depends: tuple[str, ...] = (),
) -> LockedPackage:
    stem = f"{name}-{version}-{build}"
    return LockedPackage(
        name=name, version=version, build=build, build_number=0, platform=platform, subdir=platform,
        url=f"channel/{platform}/{stem}.conda", channel="channel", sha256=f"hash of {stem}", depends=depends,
    )  # fmt: skip


def lock(*packages: LockedPackage) -> Lock:
    names = sorted({package.platform for package in packages})
    return Lock(
        platforms=tuple(
            PlatformLock(
                platform=name,
                packages=tuple(package for package in packages if package.platform == name),
                virtual_packages=(),
            )
            for name in names
        )
    )


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    keys = draw(
        st.sets(st.tuples(st.sampled_from(PLATFORMS), st.sampled_from(["a", "b", "c", "d"])), max_size=8)
    )
    versions = st.sampled_from(["1.0", "1.0.0", "1.1", "1.1rc1", "2.0", "1!0.1", "2024a"])
    return lock(
        *(
            locked(
                name,
                draw(versions),
                draw(st.sampled_from(["0", "1"])),
                platform,
                draw(st.sampled_from([(), ("python",)])),
            )
            for platform, name in sorted(keys)
        )
    )


@given(locks())
def test_a_lock_does_not_differ_from_itself(one: Lock) -> None:
    assert diff(one, one) == ()


def key(change: Change) -> tuple[str, str, str, str]:
    return change.package, change.kind.value, change.before or "", change.after or ""


@given(locks(), locks())
def test_the_diff_backwards_is_the_mirror_image(one: Lock, two: Lock) -> None:
    there = diff(one, two, requested_before={"a"}, requested_after={"b"})
    back = diff(two, one, requested_before={"b"}, requested_after={"a"})
    mirrored = [
        dataclasses.replace(
            change,
            kind=MIRROR.get(change.kind, change.kind),
            before=change.after,
            after=change.before,
            per_platform=tuple(
                dataclasses.replace(s, before=s.after, after=s.before) for s in change.per_platform
            ),
        )
        for change in there
    ]
    assert sorted(mirrored, key=key) == sorted(back, key=key)


@given(locks(), locks())
def test_applying_the_changes_to_the_one_gives_the_other(one: Lock, two: Lock) -> None:
    records = {p.identifier: p for entry in one.platforms for p in entry.packages}
    for change in diff(one, two):
        for step in change.per_platform:
            if step.before is not None:
                del records[step.before.identifier]
            if step.after is not None:
                records[step.after.identifier] = step.after
    assert records == {p.identifier: p for entry in two.platforms for p in entry.packages}


@given(locks(), locks())
def test_a_package_changes_at_most_once_per_platform(one: Lock, two: Lock) -> None:
    seen = [(change.package, step.platform) for change in diff(one, two) for step in change.per_platform]
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize(
    ("before", "after", "kind", "level"),
    [
        ("1.9", "1.10", ChangeKind.UPGRADED, Level.MINOR),
        ("12.2.0", "11.5.1", ChangeKind.DOWNGRADED, Level.MAJOR),
        ("1.2.3", "1.2.4", ChangeKind.UPGRADED, Level.PATCH),
        ("1.2", "1.2.0.1", ChangeKind.UPGRADED, Level.PATCH),
        ("9.0", "1!1.0", ChangeKind.UPGRADED, Level.MAJOR),
        ("2.0rc1", "2.0", ChangeKind.UPGRADED, Level.PATCH),
        ("2.0", "2.0.dev3", ChangeKind.DOWNGRADED, Level.PATCH),
        ("2024a", "2024b", ChangeKind.UPGRADED, Level.PATCH),
        ("2024", "2024.1", ChangeKind.UPGRADED, Level.MINOR),
        ("2025.2", "2026.1", ChangeKind.UPGRADED, Level.MINOR),
        ("2026a", "2025b", ChangeKind.DOWNGRADED, Level.MINOR),
        ("20240101.1", "20250722.0", ChangeKind.UPGRADED, Level.MINOR),
        ("24.1", "25.0", ChangeKind.UPGRADED, Level.MAJOR),
        ("1.9", "2024.1", ChangeKind.UPGRADED, Level.MAJOR),
        ("2199.1", "2200.1", ChangeKind.UPGRADED, Level.MAJOR),
        ("1.0", "1.0.0", ChangeKind.REBUILT, None),
    ],
)
def test_direction_and_level_follow_conda_s_order(
    before: str, after: str, kind: ChangeKind, level: Level | None
) -> None:
    (change,) = diff(lock(locked("x", before)), lock(locked("x", after)))
    assert (change.kind, change.level) == (kind, level)


def test_another_build_is_rebuilt_and_other_metadata_is_metadata() -> None:
    old = locked("x")
    (rebuilt,) = diff(lock(old), lock(dataclasses.replace(old, sha256="another")))
    assert rebuilt.kind is ChangeKind.REBUILT
    patched = dataclasses.replace(old, depends=("python <4",), license="MIT")
    (metadata,) = diff(lock(old), lock(patched))
    assert metadata.kind is ChangeKind.METADATA
    assert metadata.per_platform[0].fields == ("depends", "license")


def test_platforms_that_change_alike_share_one_row_and_others_do_not() -> None:
    before = lock(*(locked("x", "1.0", f"{p}_0", p) for p in PLATFORMS))
    after = lock(
        locked("x", "1.1", "linux_0", "linux-64"),
        locked("x", "1.1", "osx_0", "osx-arm64"),
        locked("x", "0.9", "win_0", "win-64"),
    )
    rows = {change.kind: change.platforms for change in diff(before, after)}
    assert rows == {ChangeKind.UPGRADED: ("linux-64", "osx-arm64"), ChangeKind.DOWNGRADED: ("win-64",)}


def test_a_package_is_direct_when_either_manifest_names_it() -> None:
    before, after = lock(locked("x"), locked("y")), lock(locked("x", "2"), locked("y", "2"), locked("z"))
    changes = diff(before, after, requested_before={"x"}, requested_after={"z"})
    assert {change.package: change.requested for change in changes} == {"x": True, "y": False, "z": True}


def test_a_version_that_conda_can_not_read_is_a_clear_error() -> None:
    with pytest.raises(
        SourceUnreachableError, match=r"^x: A lock has the version '1 2', which conda cannot read"
    ):
        diff(lock(locked("x", "1 2")), lock(locked("x", "1.2")))


def test_a_step_without_a_side_has_no_fields() -> None:
    assert PlatformChange(platform="linux-64", before=None, after=locked("x")).fields == ()


Flavour = Literal["cpu", "gpu"]
PAIRS = [("v4.0.0", "v4.1.0"), ("v4.1.0", "v4.1.1"), ("v4.1.1", "v4.1.2"), ("v4.1.2", "v4.2.0")]
FLAVOURS: list[Flavour] = ["cpu", "gpu"]


def explicit_lock(path: Path) -> Lock:
    """Read a list of URL#md5 lines, as `conda list --explicit --md5` prints it."""
    packages = []
    for line in path.read_text().splitlines():
        if "://" not in line:
            continue
        url, _, md5 = line.partition("#")
        channel, subdir, file = url.rsplit("/", 2)
        name, version, build = re.sub(r"\.(conda|tar\.bz2)$", "", file).rsplit("-", 2)
        packages.append(
            LockedPackage(
                name=name,
                version=version,
                build=build,
                build_number=0,
                platform="linux-64",
                subdir=subdir,
                url=url,
                channel=channel,
                sha256=f"md5:{md5}",
                md5=md5,
            )
        )
    return lock(*packages)


def asked_for(path: Path) -> set[str]:
    return set(re.findall(r"::([^\[\s]+)", path.read_text()))


def changelog(path: Path) -> set[tuple[bool, str, str, str]]:
    """Read rows as (direct, package, version before, version after), empty where there is none."""
    rows, direct, kind = set(), False, ""
    for line in path.read_text().splitlines():
        if line.startswith("## "):
            direct = line.startswith("## Direct")
        elif line.startswith("### "):
            kind = line[4:].strip()
        elif "|" in line and not line.startswith(("Package", "---")):
            cells = [cell.strip() for cell in line.split("|")]
            before, after = {"Changed": cells[1:3], "New": ["", cells[1]], "Removed": [cells[1], ""]}[kind]
            rows.add((direct, cells[0], before, after))
    return rows


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_real_releases_changed_as_their_official_changelogs_say(
    shared_data: Path, old: str, new: str, flavour: Flavour
) -> None:
    folder = shared_data / "sagemaker"
    changes = diff(
        explicit_lock(folder / old / f"{flavour}.env.out"),
        explicit_lock(folder / new / f"{flavour}.env.out"),
        requested_before=asked_for(folder / old / f"{flavour}.env.in"),
        requested_after=asked_for(folder / new / f"{flavour}.env.in"),
    )
    same_version = {ChangeKind.REBUILT, ChangeKind.METADATA}
    ours = {
        (change.requested, change.package, change.before or "", change.after or "")
        for change in changes
        if change.kind not in same_version
    }
    assert ours == changelog(folder / new / f"CHANGELOG-{flavour}.md")


def test_it_names_the_downgrades_that_an_official_changelog_calls_updates(shared_data: Path) -> None:
    folder = shared_data / "sagemaker"
    changes = diff(explicit_lock(folder / "v4.1.0/cpu.env.out"), explicit_lock(folder / "v4.1.1/cpu.env.out"))
    downgraded = {change.package for change in changes if change.kind is ChangeKind.DOWNGRADED}
    assert {"harfbuzz", "google-cloud-bigquery-core"} <= downgraded
    assert any(change.kind is ChangeKind.REBUILT for change in changes)
