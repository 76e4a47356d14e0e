"""What a good manifest evaluates to."""

import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.errors import ManifestError
from cuvee.manifest import load_manifest
from cuvee.manifest.model import (
    AgePolicy,
    Deprecation,
    InclusionPolicy,
    LicensePolicy,
    Owner,
    Policy,
    Position,
    ReleaseVersion,
    Support,
    Track,
)
from cuvee.release.additions import additions

GOOD = Path(__file__).parent / "good"
TODAY = dt.date(2026, 11, 22)
Writer = Callable[..., Path]
BODY = 'platforms: {linux-64: {}, win-64: {}}\npackages: {python: "3.11.*"}\n'


@pytest.fixture
def every_key(repository: Path) -> Path:
    target = repository / "manifests/starter/2026.11.0.yaml"
    shutil.copy(GOOD / "every-key.yaml", target)
    return target


def test_every_key_arrives_in_the_model(every_key: Path, repository: Path) -> None:
    manifest = load_manifest(every_key, today=TODAY)
    assert manifest.version == ReleaseVersion(2026, 11, 0)
    assert manifest.release_name == "starter-2026.11.0"
    assert manifest.support == Support(track=Track.STABLE, until=dt.date(2027, 11, 30))
    assert manifest.channel_url == "https://conda.example.org/starter-2026.11.0/channel"
    assert manifest.channels == (
        str(every_key.parent / "local"),
        "https://conda.example.org/main",
        "conda-forge/label/lts",
    )
    assert [str(package.spec) for package in manifest.packages] == [
        "_libgcc_mutex 0.1",
        "numexpr 2.14",
        "numpy >=2.4,<2.5",
        "python 3.11.*",
        "pywin32 *",
        "scipy 1.17.*|1.18.* py311h*_0",
    ]
    assert [package.spec for package in manifest.constraints] == ["openssl >=3.0.15", "qt * *_1"]
    assert [(wheel.name, wheel.extras) for wheel in manifest.wheels] == [
        ("pandas", ()),
        ("dask", ("array", "data-frame")),
        ("ruamel-yaml", ()),
    ]
    assert manifest.interpreter == "host"
    assert manifest.recipes == ("starter-tools",)
    click, zlib = manifest.patched
    assert (zlib.recipe, zlib.patches, zlib.tests, zlib.revision) == (
        "starter-tools",
        ("patches/one.patch", "patches/two.patch"),
        (),
        1,
    )
    assert (click.name, click.wheel, click.upstream_fixed_in) == (
        "click",
        "click-8.1.7-py3-none-any.whl",
        "8.1.8",
    )
    assert (click.until, click.revision) == (dt.date(2027, 5, 31), 2)
    assert click.sentence == "patched: fixes https://example.org/issues/7, CVE-2026-12346"
    assert manifest.exclude_newer == dt.datetime(2026, 11, 1, 10, 30, tzinfo=dt.UTC)
    approvals = manifest.policy.approvals
    assert approvals is not None
    assert (approvals.count, approvals.organisations) == (2, 2)
    assert approvals.roles == {"patch": ("release",), "year": ("release", "qa")}
    assert approvals.waivers == {"licenses": ("security",), "interop/*": ("qa",)}
    assert [item.title for item in approvals.people] == ["Ada Lovelace (acme)", "Bo Bergman (example-labs)"]
    assert manifest.policy.approval_policies == (approvals,)
    assert replace(manifest.policy, approvals=None) == Policy(
        licenses=LicensePolicy(allow=("MIT", "BSD-3-Clause", "LicenseRef-Ours"), deny=("AGPL-3.0-only",)),
        patch=("upgrade", "rebuild", "add"),
        age=AgePolicy(at_least=7, at_most=1500),
        inclusion=InclusionPolicy(binding=("solves", "owner"), most_packages=20, most_megabytes=200),
        platforms={"linux-64": ("smoke", "interop"), "win-64": ("smoke",)},
        checks={"cycles": "warning", "parity": "blocked"},
    )
    assert manifest.suites == ("smoke", "interop", "upstream")
    assert manifest.installers.formats == {"linux": ("sh",), "win": ("exe", "msi"), "osx": ("pkg", "sh")}
    assert manifest.installers.branding == repository / "installers/starter"
    assert manifest.installers.engine == "constructor"
    assert manifest.owners[0] == Owner(
        name="numerics",
        contact="numerics@example.org",
        organisation="Example, Ltd",
        people=("Ada", "Grace"),
        accepts={"numpy": dt.date(2026, 11, 20)},
    )
    deprecated = {item.name: item.deprecated for item in manifest.packages if item.deprecated}
    assert deprecated == {
        "numexpr": Deprecation(reason="no releases", instead="numpy", removed_in=ReleaseVersion(2027, 5, 0)),
        "_libgcc_mutex": Deprecation(reason="nothing needs it"),
    }
    assert [(waiver.check, waiver.reason, waiver.expires) for waiver in manifest.waivers] == [
        ("licenses", "agreed with legal: see the link", dt.date(2026, 11, 22)),
        ("cycles", "yes", dt.date(2027, 1, 31)),
    ]


def test_platforms_have_whole_floors_and_packages_have_platforms(every_key: Path) -> None:
    manifest = load_manifest(every_key, today=TODAY)
    floors = {platform.name: platform.floor for platform in manifest.platforms}
    assert floors == {
        "linux-64": {"glibc": "2.28", "linux": "5.4", "cuda": "12.4", "archspec": "x86_64_v3"},
        "win-64": {"win": "10"},
        "osx-arm64": {"osx": "11.0"},
    }
    assert [platform.name for platform in manifest.present_platforms] == ["linux-64", "win-64"]
    assert {package.platforms for package in manifest.packages} == {("linux-64", "win-64"), ("win-64",)}
    assert "pywin32" not in {package.name for package in manifest.requirements("linux-64")}


def test_what_is_left_out_has_its_default(write: Writer) -> None:
    manifest = load_manifest(write("platforms: {linux-64: {}}\npackages: {python: 3.10}\n"), today=TODAY)
    assert manifest.packages[0].version == "3.10", "3.10 is not 3.1"
    assert manifest.platforms[0].floor == {"glibc": "2.28", "linux": "4.18"}
    assert manifest.installers.formats == {"linux": ("sh",), "osx": (), "win": ()}
    assert manifest.policy == Policy()
    assert not any((manifest.channels, manifest.wheels, manifest.waivers, manifest.suites, manifest.owners))
    unset = (manifest.base, manifest.support, manifest.exclude_newer, manifest.interpreter)
    assert all(value is None for value in unset)


@pytest.mark.parametrize(
    ("installers", "formats"),
    [
        ("{}", {"linux": ("sh",), "osx": (), "win": ()}),
        ("{formats: {}}", {"linux": (), "osx": (), "win": ()}),
        ("{formats: {linux: []}}", {"linux": (), "osx": (), "win": ()}),
        ("{formats: {win: [exe]}}", {"linux": ("sh",), "osx": (), "win": ("exe",)}),
    ],
)
def test_an_empty_mapping_of_formats_makes_no_installer(
    installers: str, formats: dict[str, tuple[str, ...]], write: Writer
) -> None:
    body = "platforms: {linux-64: {}, win-64: {}}\npackages: {python: '*'}\n"
    manifest = load_manifest(write(f"{body}installers: {installers}\n"), today=TODAY)
    assert manifest.installers.formats == formats
    assert bool(manifest.installers) is any(formats.values())
    assert [item.name for item in additions(manifest)] == (["zstandard"] if any(formats.values()) else [])


def test_sources_say_where_each_value_stands(every_key: Path) -> None:
    manifest = load_manifest(every_key, today=TODAY)
    assert manifest.sources["title"] == Position(file=every_key, line=4, column=8)
    assert manifest.sources["packages.numpy.version"] == Position(file=every_key, line=18, column=20)
    assert manifest.sources["packages.python.version"] == Position(file=every_key, line=17, column=11)
    assert manifest.sources["platforms.linux-64.floor.linux"].line == 9
    assert manifest.sources["waivers.1.author"].line == 81
    assert manifest.sources["patched.click.patches.0"] == Position(file=every_key, line=41, column=15)
    assert "platforms.win-64.floor.linux" not in manifest.sources
    assert manifest.packages[2].position == manifest.sources["packages.numpy.version"]


def test_a_package_without_a_version_is_where_its_name_is(write: Writer) -> None:
    manifest = load_manifest(
        write("platforms: {linux-64: {}}\npackages:\n  numpy: {groups: [core]}\n"), today=TODAY
    )
    assert (manifest.packages[0].position.line, manifest.packages[0].position.column) == (7, 3)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-01", dt.datetime(2026, 11, 2, tzinfo=dt.UTC)),
        ("2026-11-01T12:00:00Z", dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)),
        ("'2026-11-01 12:00:00.25-01:00'", dt.datetime(2026, 11, 1, 13, 0, 0, 250_000, tzinfo=dt.UTC)),
    ],
)
def test_a_date_means_its_end_and_an_instant_is_utc(write: Writer, text: str, instant: dt.datetime) -> None:
    assert load_manifest(write(f"{BODY}exclude-newer: {text}\n"), today=TODAY).exclude_newer == instant


@pytest.mark.parametrize(
    "text", ["9999-12-31", "0001-01-01T00:00:00+14:00", "2026-02-30", "2026-11-01T25:00:00Z"]
)
def test_an_impossible_instant_is_a_problem(write: Writer, text: str) -> None:
    with pytest.raises(ManifestError, match="is not an instant or a date"):
        load_manifest(write(f"{BODY}exclude-newer: {text}\n"), today=TODAY)


def test_channels_that_are_folders_become_absolute(write: Writer, repository: Path) -> None:
    (repository / "manifests/starter/beside").mkdir()
    path = write(f"{BODY}channels: [beside, ../up, conda-forge, /srv/channel, file:///srv/other]\n")
    assert load_manifest(path, today=TODAY).channels == (
        str(repository / "manifests/starter/beside"),
        str(repository / "manifests/up"),
        "conda-forge",
        "/srv/channel",
        "file:///srv/other",
    )


def test_folders_are_looked_up_from_the_manifest_upwards(write: Writer, repository: Path) -> None:
    path = write(f"{BODY}installers: {{branding: installers/starter}}\n")
    assert load_manifest(path, today=TODAY).installers.branding == repository / "installers/starter"
    nearer = repository / "manifests/installers/starter"
    nearer.mkdir(parents=True)
    assert load_manifest(path, today=TODAY).installers.branding == nearer


def test_a_waiver_holds_on_its_last_day(write: Writer) -> None:
    path = write(f"{BODY}waivers: [{{check: age, reason: r, author: a, expires: 2026-11-22}}]\n")
    assert load_manifest(path, today=TODAY).waivers
    with pytest.raises(ManifestError, match="this waiver ended 1 day ago"):
        load_manifest(path, today=TODAY + dt.timedelta(days=1))


def test_a_relative_path_is_as_good_as_an_absolute_one(
    write: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(BODY)
    monkeypatch.chdir(path.parent)
    assert load_manifest(Path(path.name), today=TODAY).path == Path("2026.11.0.yaml")


def test_a_manifest_that_is_not_there_names_its_likely_sibling(write: Writer) -> None:
    path = write(BODY)
    with pytest.raises(ManifestError, match="There is no manifest") as caught:
        load_manifest(path.with_name("2026.11.1.yaml"), today=TODAY)
    assert caught.value.hint == f"Did you mean {path}?"


@pytest.mark.parametrize("name", ["", "2026.11.0.yaml/x", "a\0b", "x" * 300])
def test_a_path_that_can_not_be_read_is_a_problem(write: Writer, name: str) -> None:
    with pytest.raises(ManifestError):
        load_manifest(write(BODY).parent / name, today=TODAY)


def test_a_file_without_end_is_not_read_whole() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("needs /dev/zero")
    with pytest.raises(ManifestError, match="the file has more than"):
        load_manifest(Path("/dev/zero"), today=TODAY)


def test_thousands_of_problems_cost_little_and_are_counted(write: Writer) -> None:
    owners = ", ".join(f"owner{number}: {{contact: x}}" for number in range(50))
    packages = "".join(f"  p{number}: {{owner: owned{number}}}\n" for number in range(20_000))
    path = write(f"platforms: {{linux-64: {{}}}}\nowners: {{{owners}}}\npackages:\n{packages}")
    with pytest.raises(ManifestError, match=r"^1,000 or more problems in ") as caught:
        load_manifest(path, today=TODAY)
    assert caught.value.message.endswith("… and 900 more")
    assert 'did you mean "owner' in caught.value.message


def test_the_url_of_the_published_channel_names_the_release(write: Writer) -> None:
    assert load_manifest(write(BODY), today=TODAY).channel_url == ""
    text = f"{BODY}channel-url: https://example.org/{{release}}/channel/\n"
    assert (
        load_manifest(write(text), today=TODAY).channel_url == "https://example.org/starter-2026.11.0/channel"
    )


@pytest.mark.parametrize(
    "url",
    [
        "file:///srv/channel",
        "https://u:p@example.org/c",
        "https://example.org/{version}",
        "https://e.org/c?t=1",
    ],
)
def test_a_published_channel_has_a_clean_url(write: Writer, url: str) -> None:
    with pytest.raises(ManifestError, match="channel-url"):
        load_manifest(write(f'{BODY}channel-url: "{url}"\n'), today=TODAY)
