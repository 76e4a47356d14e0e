"""Measure `cuvee verify` on the bundle of a large release, next to hashing the same file.

    python benchmarks/verify_chain.py [--packages 1000] [--platforms 5] [--releases 10]

The bundle is made up: the record of a release with four tests per package and platform, its lock as text, a
bill per platform, two approvals; and the lists of a site with the packages of some releases in its channel.
The time is that of the whole command, with its start.
"""

import argparse
import datetime as dt
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from measuring import processor_seconds
from report_pages import release_of
from securesystemslib.signer import CryptoSigner, SSlibKey

from cuvee import process
from cuvee.approvals.approval_policy import ApprovalPolicy, Approver
from cuvee.approvals.approval_statement import ApprovalStatement, signed_envelope, to_be_signed
from cuvee.approvals.decision_log import LOG, LogEntry, LogEvent, log_bytes, with_entries
from cuvee.approvals.person_key import PersonKey, PublicKeyText
from cuvee.approvals.sums_file import SUMS, sums_text
from cuvee.codec import Document
from cuvee.files import canonical_json, sha256_bytes
from cuvee.release.record import Release, approval_request, judge
from cuvee.release.record_parts import RECORD
from cuvee.trust.bundle_zip import bundle_bytes
from cuvee.trust.release_chain import in_bundle
from cuvee.trust.site_metadata import NewFiles, SignedFile, next_metadata, signed_files
from cuvee.trust.site_roles import ROLES
from cuvee.trust.trust_folder import RoleKeys, begin, complete, named_key, signed_by

NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
PEOPLE = ("ada", "bo")


def private_key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def approved(release: Release) -> Release:
    """Return a release that two people must approve."""
    people = tuple(
        Approver(
            handle=name,
            roles=("release",),
            person=PersonKey(
                name=name.title(),
                organisation=f"{name}s",
                since=NOW.date(),
                until=NOW.date(),
                public=PublicKeyText.of(private_key(name).public_key()),
            ),
        )
        for name in PEOPLE
    )
    policy = replace(release.manifest.policy, approvals=ApprovalPolicy(count=2, people=people))
    release = replace(release, manifest=replace(release.manifest, policy=policy))
    return replace(release, verdict=judge(release))


def archives(release: Release, releases: int) -> Iterator[tuple[str, SignedFile]]:
    """Yield the packages of a channel with several releases."""
    for lock in release.lock.platforms:
        for package in lock.packages:
            for number in range(releases):
                path = f"channel/{lock.platform}/{package.name}-{number}.0-py_0.conda"
                yield path, SignedFile(length=package.size, sha256=sha256_bytes(path.encode()))


def files_of(release: Release, channel: dict[str, SignedFile]) -> dict[str, bytes]:
    """Return the files of a release, by path in its folder."""
    files = {RECORD: Document(name="release", kind=Release).to_bytes(release)}
    for lock in release.lock.platforms:
        components = [
            {"name": item.name, "version": item.version, "hashes": [item.sha256], "purl": item.url * 4}
            for item in lock.packages
        ]
        files[f"sbom/{lock.platform}.cdx.json"] = canonical_json({"components": components})
    files["lock/pixi.lock"] = b"".join(files.values())[: 2 << 20]
    sums = {path: sha256_bytes(data) for path, data in files.items()}
    sums |= {path: item.sha256 for path, item in channel.items() if "-0.0-" in path}
    request = approval_request(release, NOW.date(), sums=sums)
    for name in PEOPLE:
        payload = ApprovalStatement(
            release=release.name, subjects=request.subjects, handle=name, time=NOW, verdict="ready"
        ).to_bytes()
        public = PublicKeyText.of(private_key(name).public_key())
        signature = private_key(name).sign(to_be_signed(payload))
        files[f"approvals/{name}.json"] = signed_envelope(payload, public, signature).to_bytes()
    return {**files, SUMS: sums_text(sums).encode()}


def made_up(packages: int, platforms: int, releases: int) -> tuple[bytes, bytes]:
    """Return a bundle and its root."""
    release = approved(release_of(packages, platforms, broken=False))
    channel = dict(archives(release, releases))
    base = f"releases/stable/{release.name}/"
    files = {f"{base}{path}": data for path, data in files_of(release, channel).items()}
    policy = release.manifest.policy.approvals
    publication = LogEntry(
        time=NOW,
        event=LogEvent.PUBLICATION,
        release=release.name,
        digest=sha256_bytes(files[f"{base}{SUMS}"]),
        policy="" if policy is None else policy.digest,
    )
    log = log_bytes(with_entries((), [publication]))
    public = SSlibKey.from_crypto(private_key("key").public_key())
    signer = CryptoSigner(private_key("key"), named_key(public, "Key", "example"))
    trust = begin({role: RoleKeys(threshold=1, keys=(public,)) for role in ROLES}, NOW)
    trust |= signed_by(trust, signer)
    roots, targets = complete(trust)
    metadata = next_metadata(
        None,
        NewFiles(
            site={**channel, **signed_files([(LOG, log)])},
            indexes={"stable": signed_files([("releases/stable/index.json", b"{}")])},
            releases={"stable": {release.name: signed_files(files.items())}},
        ),
        roots,
        targets,
        signers={public.keyid: signer},
        now=NOW,
    )
    members = {f"metadata/{name}": data for name, data in metadata.items()}
    members |= {path: data for path, data in files.items() if in_bundle(path.removeprefix(base))}
    return bundle_bytes({**members, LOG: log}), trust["1.root.json"]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--packages", type=int, default=1000)
    options.add_argument("--platforms", type=int, default=5)
    options.add_argument("--releases", type=int, default=10)
    given = options.parse_args()
    data, root = made_up(given.packages, given.platforms, given.releases)
    with tempfile.TemporaryDirectory() as name:
        bundle, root_file = Path(name, "bundle.zip"), Path(name, "root.json")
        bundle.write_bytes(data)
        root_file.write_bytes(root)
        argv = (sys.executable, "-m", "cuvee", "verify", str(bundle), "--root", str(root_file))
        for label, words in (
            ("sha256sum", ("sha256sum", str(bundle))),
            ("verify", (*argv, "--at", "2026-11-30")),
        ):
            before, start = processor_seconds(), time.perf_counter()
            done = process.run(process.Request(argv=words))
            wall, used = time.perf_counter() - start, processor_seconds() - before
            if not done.ok:
                raise SystemExit(done.stderr or done.stdout)
            print(f"{label}: {used:.2f} s of processor time, {wall:.2f} s; {len(data):,} bytes")
        print(done.stdout)


if __name__ == "__main__":
    main()
