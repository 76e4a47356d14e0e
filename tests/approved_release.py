"""A release that two people have approved, small and cut without a network, and a signed site that has it."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import tiny_index
from approving import approver, private_key
from cuvee.approvals.approval_statement import ApprovalStatement, signed_envelope, to_be_signed
from cuvee.approvals.person_key import PublicKeyText
from cuvee.files import sha256_file, write_bytes, write_text
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.pipeline import check_release
from cuvee.release.published_site import SiteSigning, publish_site
from cuvee.release.record import ImageResult, InstallerResult, Release, approval_request, with_quorums
from cuvee.release.session import Options, Session
from cuvee.release.sums import PUBLIC_KEY, SIGNATURE, SUMS, sums_text
from cuvee.trust.trust_folder import complete
from signed_sites import KEYS, SIGNERS, new_trust

TODAY = dt.datetime.now(dt.UTC).date()
NOW = dt.datetime.combine(TODAY, dt.time(), dt.UTC)
LATER = TODAY + dt.timedelta(days=90)
ONLINE = ("stable", "site", "snapshot", "timestamp")
PLATFORM = "linux-64"
INSTALLER = "installers/Tiny-Linux-x86_64.sh"


def person(handle: str, organisation: str, roles: str, *, until: dt.date) -> str:
    key = approver(handle).person.public.text
    return (
        f"      {handle}: {{name: {handle.title()}, organisation: {organisation}, roles: [{roles}],\n"
        f"        key: {key}, since: 2026-01-01, until: {until}}}\n"
    )


def approvals(*, ada_until: dt.date = LATER, count: int = 2) -> str:
    """Return the policy of a manifest with three people of two organisations."""
    listed = (
        person("ada", "acme", "release", until=ada_until)
        + person("bo", "other", "qa", until=LATER)
        + person("cy", "other", "security", until=LATER)
    )
    return (
        f"policy:\n  approvals:\n    count: {count}\n    organisations: {min(count, 2)}\n"
        f"    waivers: {{unknown-licenses: [security]}}\n    people:\n{listed}"
    )


def cut(root: Path, more: str, version: str = "2026.11.0", *, image: bytes = b"") -> Path:
    """Return the folder of a release whose set is checked, and that could go out but for approvals.

    With ``image``, it has an installer, and these bytes as the list of files of its image.
    """
    tiny_index.write_index(root / "channel", [tiny_index.entry("app 1.0")])
    path = root / "manifests" / "tiny" / f"{version}.yaml"
    if version == "2026.11.0":
        tiny_index.write_manifest(root / "manifests", root / "channel", 'app: "*"', more=more)
    else:
        text = f'manifest: 1\ndistribution: tiny\nversion: "{version}"\nbased-on: "2026.11.0"\n'
        path.write_text(text + more, encoding="utf-8")
    options = Options(dist=root / "dist", cache=root / "cache", now=NOW)
    release = check_release(Session(load_manifest(path, today=TODAY), options, SILENT))
    assert release.checked is not None
    opened = [  # nothing is unpacked here
        replace(item, findings=tuple(found for found in item.findings if "Not checked" not in found.cause))
        for item in release.checked.outcomes
    ]
    release = replace(release, checked=replace(release.checked, outcomes=tuple(opened)))
    if image:
        release = _with_installer(release, image)
    with_quorums(release, TODAY, files=()).save()
    files = {
        item.relative_to(release.folder).as_posix(): sha256_file(item)
        for item in release.folder.rglob("*")
        if item.is_file() and ".stages" not in item.parts
    }
    write_text(release.folder / SUMS, sums_text(files))
    return release.folder


def _with_installer(release: Release, image: bytes) -> Release:
    write_bytes(release.folder / INSTALLER, b"#!/bin/sh\necho this is no installer\n")
    listed = release.folder / "images" / PLATFORM / "manifest.json.zst"
    write_bytes(listed, image)
    write_bytes(release.folder / "sbom" / f"{PLATFORM}.cdx.json", b'{"bomFormat": "CycloneDX"}\n')
    installer = release.folder / INSTALLER
    artefact = Artefact(
        path=INSTALLER,
        kind=ArtefactKind.INSTALLER,
        platform=PLATFORM,
        format="sh",
        size=installer.stat().st_size,
        sha256=sha256_file(installer),
    )
    made = ImageResult(
        platform=PLATFORM,
        manifest_sha256=sha256_file(listed),
        stage0_sha256="0" * 64,
        payload_sha256="0" * 64,
        files=1,
        raw_size=1,
    )
    result = InstallerResult(platform=PLATFORM, artefacts=(artefact,))
    return replace(release, images=(made,), installers=(result,))


def approve(folder: Path, *handles: str, time: dt.datetime = NOW) -> None:
    """Approve the release in a folder as people of its list."""
    release = Release.open(folder, today=TODAY)
    subjects = approval_request(release, TODAY).subjects
    for handle in handles:
        private = private_key(handle)
        payload = ApprovalStatement(
            release=release.name, subjects=subjects, handle=handle, time=time, verdict="ready"
        ).to_bytes()
        public = PublicKeyText.of(private.public_key())
        envelope = signed_envelope(payload, public, private.sign(to_be_signed(payload)))
        write_bytes(folder / "approvals" / f"{handle}.json", envelope.to_bytes())


def sign_sums(folder: Path) -> None:
    """Sign the sums with the key of the publisher."""
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    write_bytes(folder / SIGNATURE, key.sign((folder / SUMS).read_bytes()))
    write_bytes(
        folder / PUBLIC_KEY, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


@dataclass(frozen=True, kw_only=True)
class ApprovedSite:
    """A signed site with one release, and what its readers got with the distribution."""

    folder: Path
    release: Path
    trust: dict[str, bytes]

    @property
    def root(self) -> bytes:
        return self.trust["1.root.json"]

    @property
    def published(self) -> Path:
        return self.folder / "releases" / "stable" / self.release.name

    @property
    def bundle(self) -> Path:
        return self.published / "trust" / "bundle.zip"

    def publish(
        self,
        *releases: Path,
        now: dt.datetime = NOW,
        signers: Collection[str] = ONLINE,
        others: Mapping[str, bytes] | None = None,
    ) -> Sequence[str]:
        """Publish releases, or only renew what is signed; return the bundles that were written."""
        roots, targets = complete(self.trust)
        found = {KEYS[name].keyid: SIGNERS[name] for name in signers}
        signing = SiteSigning(roots=roots, targets=targets, signers=found)
        published = publish_site(releases, self.folder, SILENT, now=now, signing=signing, others=others)
        return published.bundles


def approved_site(
    root: Path, *handles: str, image: bytes = b"a list of files", more: str = ""
) -> ApprovedSite:
    """Return a site with a release that people have approved: by default Ada and Bo."""
    release = cut(root, more or approvals(), image=image)
    approve(release, *(handles or ("ada", "bo")))
    sign_sums(release)
    site = ApprovedSite(folder=root / "site", release=release, trust=new_trust())
    site.publish(release)
    return site
