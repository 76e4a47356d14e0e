"""A release's own metapackages: a channel beside its packages, from which a solver gets exactly the lock."""

import asyncio
import json
from collections.abc import Callable

import pytest
import rattler

from cuvee.conda.package_info import read_info
from cuvee.conda.rattler_records import generic_virtual_package
from cuvee.files import sha256_file
from cuvee.graph.certificate import InputState
from cuvee.graph.metapackages import exact_spec
from cuvee.release.artefacts import ArtefactKind
from cuvee.release.given_certificates import check_certificate
from cuvee.release.pipeline import check_release
from cuvee.release.record import Release
from cuvee.release.sums import read_sums
from tiny_distribution import Distribution

pytestmark = pytest.mark.real


def solved(release: Release, platform: str, *specs: str) -> list[rattler.RepoDataRecord]:
    folders = [release.folder / name for name in ("metapackages", "channel")]
    return asyncio.run(
        rattler.solve(
            [rattler.Channel(folder.as_uri()) for folder in folders],
            specs=[rattler.MatchSpec(text) for text in specs],
            platforms=[rattler.Subdir(platform), rattler.Subdir("noarch")],
            virtual_packages=[
                generic_virtual_package(item) for item in release.lock.by_platform[platform].virtual_packages
            ],
        )
    )


@pytest.mark.parametrize("subdir", ["host", "win-64"])
def test_the_release_number_gives_exactly_the_lock(
    tiny: tuple[Distribution, Release], host_platform: str, subdir: str
) -> None:
    release, platform = tiny[1], host_platform if subdir == "host" else subdir
    records = solved(release, platform, "tiny =2026.11")
    found = {f"{item.name.normalized} =={item.version} {item.build}": item.sha256 for item in records}
    locked = {
        exact_spec(item): bytes.fromhex(item.sha256) for item in release.lock.by_platform[platform].packages
    }
    (own,) = found.keys() - locked.keys()
    assert own.startswith("tiny ==2026.11.0 h")
    assert {spec: sha256 for spec, sha256 in found.items() if spec != own} == locked


def test_they_are_part_of_record_sums_and_certificate(
    tiny: tuple[Distribution, Release], host_platform: str
) -> None:
    release = tiny[1]
    artefacts = [item for item in release.artefacts if item.kind is ArtefactKind.METAPACKAGE]
    assert [(item.platform, item.name.partition("-2026")[0]) for item in artefacts] == [
        (platform, name)
        for platform in (host_platform, "win-64")
        for name in ("tiny", "tiny-base", "tiny-constraints")
    ]
    sums = read_sums(release.folder)
    for item in artefacts:
        assert sums[item.path] == item.sha256 == sha256_file(release.folder / item.path)
        assert not read_info(release.folder / item.path).paths
    assert f"metapackages/{host_platform}/repodata.json" in sums
    verified = check_certificate(release.folder / "checks" / "certificate.json")
    assert verified.metapackages[host_platform] == ("tiny", "tiny-base", "tiny-constraints")
    compared = [item for item in verified.inputs if item.name.startswith("the metapackage")]
    assert len(compared) == 6
    assert {item.state for item in compared} == {InputState.SAME}


def test_another_metapackage_than_the_certified_one_is_refused(
    copied: Callable[[], Distribution], host_platform: str
) -> None:
    folder = copied().dist / "tiny-2026.11.0"
    archive = next((folder / "metapackages" / host_platform).glob("tiny-base-*.conda"))
    archive.write_bytes(archive.read_bytes() + b"more")
    with pytest.raises(Exception, match="another state of the metapackage tiny-base-2026"):
        check_certificate(folder / "checks" / "certificate.json")


def test_a_distribution_named_as_one_of_its_packages_says_why_it_has_none(
    copied: Callable[[], Distribution], tiny_text: str
) -> None:
    distribution = copied()
    text = tiny_text.replace("distribution: tiny", "distribution: tqdm")
    path = distribution.root / "manifests" / "tqdm" / "2026.11.0.yaml"
    path.parent.mkdir()
    path.write_text(text)
    release = check_release(distribution.session(path))
    assert release.metapackages is not None
    reasons = {item.not_made.reason for item in release.metapackages.artefacts if item.not_made}
    assert reasons == {"the set has a package of that name: tqdm"}
    certificate = json.loads((release.folder / "checks" / "certificate.json").read_text())
    assert all(proof["metapackages"] == [] for proof in certificate["platforms"].values())
    assert not (release.folder / "metapackages").exists()
