"""Provenance: everything that a release consists of is told, with where it came from, as SLSA has it."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from securesystemslib import dsse
from securesystemslib.signer import SSlibKey

from checked_sets import asked, manifest_of, package
from cuvee.approvals.person_key import PublicKeyText
from cuvee.build.model import BuiltFrom, Source
from cuvee.channel.model import Interpreter
from cuvee.channel.package_writer import PackageContent, write_package
from cuvee.channel.patches.patch_files import PATCHES
from cuvee.conda.package_record import LockedPackage
from cuvee.files import canonical_json, sha256_bytes, sha256_file
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import Manifest, PatchedPackage
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.record import BuildResult, ChannelResult, ImageResult, InstallerResult, LockResult, Release
from cuvee.release.signing import sign_release
from cuvee.release.sums import read_sums
from cuvee.trust.keys import SigningKey
from in_toto_statements import read_provenance, read_statement, stated_provenance
from tiny_distribution import Distribution, write_key

WHEEL = "six-1.17.0-py2.py3-none-any.whl"
FORGE = "https://user:secret@conda.anaconda.org/conda-forge"


def own(folder: Path, name: str, **content: Any) -> LockedPackage:
    """Return a package that is in the release's own channel."""
    written = PackageContent(
        name=name, version="1.0", build="py_0", subdir="noarch", depends=(), timestamp=0, files=(), **content
    )
    archive = write_package(written, folder / "channel" / "noarch")
    return package(
        name,
        "1.0",
        "py_0",
        subdir="noarch",
        platform="linux-64",
        url=f"channel/noarch/{archive.name}",
        channel="channel",
        sha256=sha256_file(archive),
    )


def made_of(folder: Path) -> Release:
    patched = {"patches": [{"file": "patches/six.patch", "sha256": "5" * 64}]}
    packages = (
        package(
            "numpy",
            "2.4.0",
            "h1_0",
            subdir="linux-64",
            platform="linux-64",
            url=f"{FORGE}/linux-64/numpy-2.4.0-h1_0.conda",
            channel=FORGE,
            sha256="a" * 64,
        ),
        own(
            folder,
            "six",
            extra={"cuvee": {"wheel": WHEEL, "sha256": "b" * 64}},
            extra_info={PATCHES: canonical_json(patched)},
        ),
        own(folder, "built"),
        own(folder, "python"),
        own(folder, "unknown"),
    )
    patch = PatchedPackage(
        name="six",
        wheel=WHEEL,
        sha256="b" * 64,
        patches=("patches/six.patch",),
        fixes=("CVE-2026-1",),
        why="it is broken",
        author="ada",
        until=dt.date(2027, 1, 1),
        position=asked("six").position,
    )
    source = Source(
        urls=("https://src.example/built-1.0.tar.gz",), sha256="d" * 64, file_name="built-1.0.tar.gz"
    )
    manifest: Manifest = manifest_of(asked("numpy"), channels=(FORGE,), patched=(patch,))
    installer = Artefact(
        path="installers/T.sh", kind=ArtefactKind.INSTALLER, platform="linux-64", format="sh", sha256="e" * 64
    )
    other = Artefact(
        path="installers/T.exe", kind=ArtefactKind.INSTALLER, platform="win-64", format="exe", sha256="f" * 64
    )
    shared = Artefact(path="lock/pixi.lock", kind=ArtefactKind.LOCK, sha256="0" * 64)
    return Release(
        manifest=manifest,
        base="t-2026.10.0",
        channel=ChannelResult(
            interpreters=(
                Interpreter(platform="linux-64", version="3.11.9", origin="this machine's CPython"),
            )
        ),
        built=BuildResult(
            made_from=(
                BuiltFrom(
                    sha256=packages[2].sha256, recipe="tools", recipe_sha256="c" * 64, sources=(source,)
                ),
            )
        ),
        locked=LockResult(
            lock=Lock(platforms=(PlatformLock(platform="linux-64", packages=packages, virtual_packages=()),)),
            artefacts=(shared,),
        ),
        images=(
            ImageResult(
                platform="linux-64",
                manifest_sha256="1" * 64,
                stage0_sha256="2" * 64,
                payload_sha256="3" * 64,
                files=1,
                raw_size=1,
            ),
        ),
        installers=(InstallerResult(platform="linux-64", artefacts=(installer, other)),),
        made_at=dt.datetime(2026, 11, 30, tzinfo=dt.UTC),
        tools={"cuvee": "0.1.0", "py-rattler": "0.28.0"},
        folder=folder,
    )


def stated(release: Release) -> bytes:
    return stated_provenance(release, "linux-64")


def test_everything_is_told_with_where_it_came_from(tmp_path: Path) -> None:
    release = made_of(tmp_path)
    data = stated(release)
    read = read_provenance(data)
    found = {item.name: item for item in read.build_definition.resolved_dependencies}
    numpy = found["numpy-2.4.0-h1_0.conda"]
    assert numpy.download_location == "https://conda.anaconda.org/conda-forge/linux-64/numpy-2.4.0-h1_0.conda"
    assert numpy.uri == "pkg:conda/conda-forge/numpy@2.4.0?build=h1_0&subdir=linux-64&type=conda"
    assert dict(numpy.digest) == {"sha256": "a" * 64}
    assert found[WHEEL].uri == f"pkg:pypi/six@1.17.0?file_name={WHEEL}"
    assert dict(found[WHEEL].digest) == {"sha256": "b" * 64}
    assert dict(found["recipes/tools"].digest) == {"cuveeRecipe": "c" * 64}
    assert found["built-1.0.tar.gz"].download_location == "https://src.example/built-1.0.tar.gz"
    assert dict(found["patches/six.patch"].digest) == {"sha256": "5" * 64}
    assert found["cpython"].uri == "pkg:generic/cpython@3.11.9"
    assert found["cpython"].annotations["origin"] == "this machine's CPython"
    assert found["unknown-1.0-py_0"].annotations["origin"] == "not recorded"
    assert len(found) == 7
    assert b"secret" not in data


def test_subjects_and_byproducts_are_of_the_platform(tmp_path: Path) -> None:
    release = made_of(tmp_path)
    statement = read_statement(stated(release))
    subjects = {item.name: item.digest["sha256"] for item in statement.subject}
    assert subjects == {"installers/T.sh": "e" * 64, "lock/pixi.lock": "0" * 64}
    byproducts = {
        item.name: item.digest["sha256"] for item in read_provenance(stated(release)).run_details.byproducts
    }
    assert byproducts == {
        "images/linux-64/stage0.tar.gz": "2" * 64,
        "images/linux-64/manifest.json.zst": "1" * 64,
        "images/linux-64/payload.bin": "3" * 64,
        **{item.url: item.sha256 for item in release.lock.platforms[0].packages if item.is_local},
    }


def test_parameters_fix_the_manifest_and_nothing_is_of_the_time(tmp_path: Path) -> None:
    release = made_of(tmp_path)
    definition = json.loads(stated(release))["predicate"]["buildDefinition"]
    assert definition["buildType"] == "urn:cuvee:release:1"
    assert definition["externalParameters"]["version"] == "2026.11.0"
    assert definition["externalParameters"]["base"] == "t-2026.10.0"
    digest = definition["externalParameters"]["manifest"]["digest"]["sha256"]
    from dataclasses import replace

    later = replace(release, made_at=release.made_at + dt.timedelta(days=1))
    assert stated(later) == stated(release)
    other = replace(release, manifest=replace(release.manifest, title="Other"))
    assert json.loads(stated(other))["predicate"]["buildDefinition"]["externalParameters"]["manifest"][
        "digest"
    ] != {"sha256": digest}


@pytest.mark.real
def test_a_release_tells_all_of_its_packages(tiny: tuple[Distribution, Release], host_platform: str) -> None:
    release = tiny[1]
    sums = read_sums(release.folder)
    for lock in release.lock.platforms:
        path = f"trust/provenance/{lock.platform}.intoto.json"
        data = (release.folder / path).read_bytes()
        assert sums[path] == sha256_bytes(data)
        read = read_provenance(data)
        inputs = {item.annotations["package"] for item in read.build_definition.resolved_dependencies}
        assert inputs == {item.file_name for item in lock.packages}
        byproducts = {item.name: item.digest["sha256"] for item in read.run_details.byproducts}
        assert {item.url: item.sha256 for item in lock.packages}.items() <= byproducts.items()
        subjects = {item.name: item.digest["sha256"] for item in read_statement(data).subject}
        assert subjects.items() <= sums.items()
        assert {
            item.path for item in release.artefacts if item.platform == lock.platform and not item.not_made
        } <= {*subjects}
    wheels = [
        item for item in read.build_definition.resolved_dependencies if item.uri.startswith("pkg:pypi/tqdm@")
    ]
    assert all(dict(item.digest) for item in wheels)
    assert wheels


@pytest.mark.real
def test_who_signs_a_release_signs_its_provenance(copied: Any, tmp_path: Path) -> None:
    folder = copied().dist / "tiny-2026.11.0"
    key = SigningKey.read(write_key(tmp_path))
    sign_release(folder, key)
    public = PublicKeyText.read_pem((folder / "signing-key.pem").read_bytes())
    known = SSlibKey.from_crypto(public.loaded(), keyid=public.fingerprint)
    signed = sorted((folder / "trust" / "provenance").glob("*.intoto.jsonl"))
    assert len(signed) == 2
    for path in signed:
        (line,) = path.read_text().splitlines()
        envelope = dsse.Envelope.from_dict(json.loads(line))
        envelope.verify([known], 1)
        assert envelope.payload == path.with_suffix(".json").read_bytes()
        assert path.relative_to(folder).as_posix() not in read_sums(folder)
