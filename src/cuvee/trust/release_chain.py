"""The links from the list of a release to what was approved: files, sums, record, log and approvals. Pure."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from cuvee.approvals.approval_files import APPROVALS
from cuvee.approvals.decision_log import (
    LOG,
    LogEntry,
    LogEvent,
    binding_publication,
    head_of,
    read_log,
    revoked_keys,
)
from cuvee.approvals.quorum import Quorum, judge_quorum
from cuvee.approvals.sums_file import SUMS, parse_sums
from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes
from cuvee.release.record import Release, approval_request
from cuvee.release.record_parts import RECORD
from cuvee.report.human_units import plural
from cuvee.trust.bundle_zip import BUNDLE
from cuvee.trust.role_chain import RoleChain
from cuvee.trust.site_metadata import SignedFile
from cuvee.trust.site_roles import RELEASES, SITE

SIGNATURE, PUBLIC_KEY = "SHA256SUMS.sig", "signing-key.pem"
IMAGES = "images/"
IN_CHANNEL = ("channel/", "metapackages/")
"""What of the sums is not in the folder of a published release."""

_BESIDE = (SUMS, SIGNATURE, PUBLIC_KEY)
_OWN_FOLDERS = ("trust/", f"{APPROVALS}/")
_HINT = "Do not use it. Get the release again from where it was published."

Read = Callable[[str], "bytes | None"]
"""Returns a small file by its path in the site; `None` if it is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFiles:
    """The files of a release that are there.

    Attributes
    ----------
    files
        Length and hash of each, by its path in the release's folder.
    needed
        Whether a file that the list names must be there.
    """

    files: Mapping[str, SignedFile]
    needed: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRelease:
    """A release whose chain holds up to its approvals.

    Attributes
    ----------
    listed
        What its list has, by path in its folder.
    sums
        What was approved, by path.
    """

    track: str
    release: Release
    listed: Mapping[str, SignedFile]
    sums: Mapping[str, str]

    @property
    def name(self) -> str:
        """Distribution and version."""
        return self.release.name


def verify_release(
    chain: RoleChain, track: str, name: str, read: Read, held: HeldFiles | None
) -> VerifiedRelease:
    """Walk from a track to the approvals of a release.

    Parameters
    ----------
    held
        The files that are there and are to be compared; `None` for only those that the chain itself needs.

    Raises
    ------
    ChainBrokenError
        If a link does not hold.
    """
    chain.release(track, name)
    base = f"{RELEASES}/{track}/{name}/"
    all_ = chain.files(name)
    listed = {path.removeprefix(base): item for path, item in all_.items() if path.startswith(base)}
    work = _ReleaseWork(chain=chain, track=track, name=name, listed=listed, read=read)
    if held is not None:
        work.compare(held)
    sums = work.read_sums()
    release = work.read_record(sums)
    entries = work.read_site_log(release, sha256_bytes(work.file(SUMS)))
    work.judge_approvals(release, sums, entries)
    return VerifiedRelease(track=track, release=release, listed=listed, sums=sums)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReleaseWork:
    chain: RoleChain
    track: str
    name: str
    listed: Mapping[str, SignedFile]
    read: Read

    def file(self, path: str) -> bytes:
        """Return a file of the release as its list has it."""
        return self._signed(f"{RELEASES}/{self.track}/{self.name}/{path}", path, self.listed.get(path))

    def _signed(self, path: str, shown: str, signed: SignedFile | None) -> bytes:
        if signed is None:
            raise IntegrityError(f"{shown} is in no list that may have it", hint=_HINT)
        data = self.read(path)
        if data is None:
            raise IntegrityError(f"{shown} is missing", hint=_HINT)
        compare_file(shown, SignedFile(length=len(data), sha256=sha256_bytes(data)), signed)
        return data

    def compare(self, held: HeldFiles) -> None:
        """Compare all files that are there with the list."""
        with self.chain.walk.link("files", 4) as note:
            for path, found in sorted(held.files.items(), key=lambda item: (item[0] == SUMS, item[0])):
                if path not in self.listed:
                    raise IntegrityError(f"{path} is there, and is in no list", hint=_HINT)
                compare_file(path, found, self.listed[path])
            missing = [path for path in self.listed if path not in held.files and held.needed(path)]
            if missing:
                raise IntegrityError(f"{min(missing)} is missing, which the list names", hint=_HINT)
            note.text = f"{len(held.files):,} of {len(self.listed):,} files are here, as the list has them"

    def read_sums(self) -> dict[str, str]:
        """Compare the sums with the list, and those of packages with the channel."""
        with self.chain.walk.link(SUMS, 4) as note:
            data = self.file(SUMS)
            sums = parse_sums(data.decode(errors="replace"))
            for path, signed in sorted(self.listed.items()):
                if path in _BESIDE or (path.startswith(_OWN_FOLDERS) and path not in sums):
                    continue
                if sums.get(path) != signed.sha256:
                    raise IntegrityError(
                        f"{path} has the SHA-256 {signed.sha256} in the list, and {sums.get(path, 'none')} "
                        f"in {SUMS}",
                        hint=_HINT,
                    )
            unlisted = [p for p in sums if p not in self.listed and not p.startswith(IN_CHANNEL)]
            if unlisted:
                raise IntegrityError(f"{SUMS} names {unlisted[0]}, and the list does not", hint=_HINT)
            packages = self._compare_packages(sums)
            note.text = f"{len(sums):,} files, {packages:,} of them packages that the channel has"
            note.signers = self._signer_of_sums(data)
        return sums

    def _compare_packages(self, sums: Mapping[str, str]) -> int:
        """Return how many packages of the sums the channel has with these hashes; it must have all."""
        channel, count = self.chain.files(SITE), 0
        for path, sha256 in sums.items():
            if not path.startswith(IN_CHANNEL) or not path.endswith(".conda"):
                continue
            target = f"channel/{path.partition('/')[2]}"
            signed = channel.get(target)
            if signed is None or signed.sha256 != sha256:
                found = "is not in the channel" if signed is None else f"has {signed.sha256} in the channel"
                raise IntegrityError(f"{path} has the SHA-256 {sha256} in {SUMS}, and {found}", hint=_HINT)
            count += 1
        return count

    def _signer_of_sums(self, data: bytes) -> tuple[str, ...]:
        if SIGNATURE not in self.listed:
            return ()
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key = load_pem_public_key(self.file(PUBLIC_KEY))
            if not isinstance(key, Ed25519PublicKey):
                raise IntegrityError(f"{PUBLIC_KEY} is not an Ed25519 key", hint=_HINT)
            key.verify(self.file(SIGNATURE), data)
        except (InvalidSignature, ValueError) as error:
            raise IntegrityError(
                f"{SIGNATURE} is not a signature of {SUMS} by {PUBLIC_KEY}", hint=_HINT
            ) from error
        return (f"key {key.public_bytes_raw().hex()[:16]}",)

    def read_record(self, sums: Mapping[str, str]) -> Release:
        """Compare the record with the list and the sums."""
        with self.chain.walk.link("record", 4) as note:
            release = Release.from_bytes(self.file(RECORD), source=RECORD)
            if release.name != self.name:
                raise IntegrityError(f"{RECORD} is about {release.name}, not about {self.name}", hint=_HINT)
            for item in release.artefacts:
                if item.not_made is None and sums.get(item.path) != item.sha256:
                    raise IntegrityError(
                        f"{item.path} has the SHA-256 {item.sha256} in {RECORD}, and "
                        f"{sums.get(item.path, 'none')} in {SUMS}",
                        hint=_HINT,
                    )
            for image in release.images:
                path = image_path(image.platform)
                if path in sums and sums[path] != image.manifest_sha256:
                    raise IntegrityError(f"{path} is not the one of {RECORD}", hint=_HINT)
            packages = {item.sha256 for lock in release.lock.platforms for item in lock.packages}
            platforms = ", ".join(lock.platform for lock in release.lock.platforms)
            note.text = f"{plural(len(packages), 'package')} for {platforms}"
        return release

    def read_site_log(self, release: Release, sums_sha256: str) -> tuple[LogEntry, ...]:
        """Compare what the site's log says of the release."""
        with self.chain.walk.link("log", 4) as note:
            signed = self.chain.files(SITE).get(LOG)
            entries = read_log(self._signed(LOG, LOG, signed), source=LOG)
            at = publication_of(entries, self.name)
            if at is None:
                raise IntegrityError(f"{LOG} does not say that {self.name} was published", hint=_HINT)
            if entries[at].digest != sums_sha256:
                raise IntegrityError(
                    f"{LOG} says that {SUMS} has the SHA-256 {entries[at].digest}, and it has {sums_sha256}",
                    hint=_HINT,
                )
            policies = {policy.digest for policy in release.manifest.policy.approval_policies}
            before = binding_publication(
                entries[:at], distribution=release.manifest.distribution, base=release.base
            )
            if before is not None and before.policy and before.policy not in policies:
                raise IntegrityError(
                    f"Those who could approve {before.release} have not agreed to the list of {self.name}",
                    hint=_HINT,
                )
            revoked = len(revoked_keys(entries))
            note.text = (
                f"{plural(len(entries), 'line')}, published {entries[at].time:%Y-%m-%d}, "
                f"{plural(revoked, 'key')} revoked; "
                f"head {head_of(entries)[:16]}"
            )
        return entries

    def judge_approvals(
        self, release: Release, sums: Mapping[str, str], entries: tuple[LogEntry, ...]
    ) -> None:
        """Judge whether enough people had approved these files when they were published."""
        walk, policies = self.chain.walk, release.manifest.policy.approval_policies
        if not policies:
            walk.uncovered(APPROVALS, 4, "the manifest asks for none")
            return
        at = publication_of(entries, self.name)
        day = self.chain.now.date() if at is None else entries[at].time.astimezone(dt.UTC).date()
        names = [p for p in self.listed if p.startswith(f"{APPROVALS}/") and p.endswith(".json")]
        with walk.link(APPROVALS, 4) as note:
            files = [(path.partition("/")[2], self.file(path)) for path in sorted(names)]
            request = approval_request(release, day, revoked=revoked_keys(entries), sums=sums)
            quorums = [judge_quorum(policy, request, files) for policy in policies]
            for quorum in quorums:
                _require(quorum)
            approved = {item.title for quorum in quorums for item in quorum.approved}
            note.signers = tuple(sorted(approved))
            asked = [f"{q.policy.count} people of {q.policy.organisations} organisations" for q in quorums]
            note.text = f"{' and '.join(dict.fromkeys(asked))} were needed on {day}, for exactly these files"


def _require(quorum: Quorum) -> None:
    if quorum.is_reached:
        return
    why = [f"{item.source} does not count: {item.problem}" for item in quorum.judged if item.problem]
    lacking = f"missing: {', '.join(quorum.missing)}"
    impossible = [f"cannot be reached: {quorum.impossible}"] if quorum.impossible else []
    raise IntegrityError("\n".join([lacking, *impossible, *why]), hint=_HINT)


def publication_of(entries: Collection[LogEntry], name: str) -> int | None:
    """Return the number of the entry by which a release was published."""
    found = (
        number
        for number, item in enumerate(entries)
        if item.event is LogEvent.PUBLICATION and item.release == name
    )
    return next(found, None)


def compare_file(path: str, found: SignedFile, signed: SignedFile) -> None:
    """Raise unless a file is what was signed.

    Raises
    ------
    IntegrityError
        With both hashes.
    """
    if found != signed:
        raise IntegrityError(
            f"{path} is not the file that was signed: it has {found.length:,} bytes and the SHA-256 "
            f"{found.sha256}, and {signed.length:,} bytes with {signed.sha256} were signed",
            hint=_HINT,
        )


def image_path(platform: str) -> str:
    """Return the name that the manifest of a platform's image has in the sums."""
    return f"{IMAGES}{platform}/manifest.json.zst"


def in_bundle(path: str) -> bool:
    """Whether a file of a release belongs into its bundle: not what is large, or only for reading."""
    if path == BUNDLE or path.startswith(_NOT_IN_BUNDLE):
        return False
    return not path.startswith("results/") or path.endswith("/outcomes.json")


_NOT_IN_BUNDLE = ("installers/", "report/", "builds/", "imports/", "checks/graph/", IMAGES, *IN_CHANNEL)
