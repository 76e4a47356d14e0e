"""The chains to a bundle, to a release of a site, to a whole site and to an installer. Pure."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from cuvee.approvals.sums_file import SUMS
from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes
from cuvee.report.human_units import plural
from cuvee.trust.bundle_zip import read_bundle
from cuvee.trust.chain_links import ChainBrokenError, ChainWalk
from cuvee.trust.release_bundle import METADATA, shared_paths
from cuvee.trust.release_chain import (
    HeldFiles,
    Read,
    VerifiedRelease,
    compare_file,
    in_bundle,
    verify_release,
)
from cuvee.trust.role_chain import RoleChain
from cuvee.trust.site_metadata import SignedFile
from cuvee.trust.site_roles import RELEASES, SITE

_AGAIN = "Get it again from where it was published."


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchor:
    """What the reader brings: a root, and the time for which they ask."""

    root: bytes
    now: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What has the chain: a site, or a bundle of it.

    Attributes
    ----------
    metadata
        Files of ``metadata/`` by name.
    members
        Of a bundle, all other files by path.
    """

    source: str
    metadata: Mapping[str, bytes]
    read: Read
    members: Mapping[str, bytes] | None = None

    @classmethod
    def of_bundle(cls, data: bytes, source: str) -> "Evidence":
        """Return what a bundle has.

        Raises
        ------
        IntegrityError
            If it is none.
        """
        members = read_bundle(data, source=source)
        metadata = {n.removeprefix(METADATA): data for n, data in members.items() if n.startswith(METADATA)}
        others = {name: data for name, data in members.items() if not name.startswith(METADATA)}
        return cls(source=source, metadata=metadata, read=others.get, members=others)


def walk_bundle(walk: ChainWalk, bundle: Evidence, anchor: TrustAnchor) -> VerifiedRelease:
    """Walk through a bundle: each byte of it must be what somebody has signed."""
    chain = RoleChain(walk=walk, metadata=bundle.metadata, now=anchor.now, fresh=False)
    chain.begin(anchor.root)
    members = bundle.members or {}
    with walk.link("contents", 2) as note:
        track, release = _only_release(members)
        note.text = f"{plural(len(members), 'file')} of {release}"
    base = f"{RELEASES}/{track}/{release}/"
    held = {path.removeprefix(base): data for path, data in members.items() if path.startswith(base)}
    found = HeldFiles(files={path: _described(data) for path, data in held.items()}, needed=in_bundle)
    verified = verify_release(chain, track, release, bundle.read, found)
    others = {path: data for path, data in members.items() if not path.startswith(base)}
    _compare_shared(walk, chain.files(SITE), others, verified)
    with walk.link("members", 4) as note:
        extra = sorted({*bundle.metadata} - chain.used) + sorted(path for path in held if not in_bundle(path))
        if extra:
            raise IntegrityError(f"{extra[0]} is there, and does not belong into a bundle", hint=_AGAIN)
        note.text = f"{len(members) + len(bundle.metadata)}, and nothing else"
    return verified


def _compare_shared(
    walk: ChainWalk, signed: Mapping[str, SignedFile], others: Mapping[str, bytes], release: VerifiedRelease
) -> None:
    """Compare what `site` has signed, and the bundle has beside the release."""
    with walk.link("log, VEX and attestations", 4) as note:
        shared = shared_paths(signed, release.sums)
        for path in sorted({*shared, *others}):
            if path not in shared or path not in others:
                what = "is missing" if path in shared else "is there, and does not belong into a bundle"
                raise IntegrityError(f"{path} {what}", hint=_AGAIN)
            compare_file(path, _described(others[path]), signed[path])
        attested = [path for path in others if path.startswith("channel/")]
        rest = ", ".join(sorted({*others} - {*attested}))
        note.text = f"{rest}, attestations of {plural(len(attested), 'package')}, as `site` has signed"


def _only_release(members: Iterable[str]) -> tuple[str, str]:
    """Return the track and the name of the release that a bundle is about."""
    base, parts = f"{RELEASES}/", 4  # releases/<track>/<release>/<path>
    found = {tuple(path.split("/", 3)[1:3]) for path in members if path.startswith(base)}
    whole = all(len(path.split("/", 3)) == parts for path in members if path.startswith(base))
    if len(found) != 1 or not whole:
        raise IntegrityError("It has the files of no release, or of several", hint=_AGAIN)
    track, release = found.pop()
    return track, release


def _described(data: bytes) -> SignedFile:
    return SignedFile(length=len(data), sha256=sha256_bytes(data))


def walk_to_release(
    walk: ChainWalk,
    evidence: Evidence,
    anchor: TrustAnchor,
    release: str,
) -> VerifiedRelease:
    """Walk to one release, in a bundle or in a site."""
    if evidence.members is not None:
        found = walk_bundle(walk, evidence, anchor)
        if release and found.name != release:
            with walk.link(release, 3):
                raise IntegrityError(f"{evidence.source} is the bundle of {found.name}", hint="Give its own.")
        return found
    chain = RoleChain(walk=walk, metadata=evidence.metadata, now=anchor.now, fresh=True)
    chain.begin(anchor.root)
    for track in chain.tracks:
        if f'"{release}"'.encode() in evidence.metadata.get(_newest(chain, track), b""):
            chain.track(track)
            if release in chain.releases(track):
                return verify_release(chain, track, release, evidence.read, None)
    with walk.link(release or "release", 3):
        raise IntegrityError(
            f"{evidence.source} has no {release or 'such release'} that is signed", hint="Is it published?"
        )
    raise ChainBrokenError


def _newest(chain: RoleChain, role: str) -> str:
    return f"{chain.roles['snapshot'].signed.meta[f'{role}.json'].version}.{role}.json"


def release_with(evidence: Evidence, sha256: str, name: str) -> str:
    """Return the release whose list seems to name a file: by its hash, or else by its name."""
    for text in (sha256.encode(), f"/{name}".encode()):
        for file, data in sorted(evidence.metadata.items(), reverse=True):
            role = file.partition(".")[2].removesuffix(".json")
            if "-" in role and text in data:
                return role
    return ""


def link_installer(walk: ChainWalk, release: VerifiedRelease, name: str, found: SignedFile) -> None:
    """Walk to an installer: its hash must be in the list."""
    with walk.link("installer", 4) as note:
        installers = {path: item for path, item in release.listed.items() if path.startswith("installers/")}
        same = [path for path, item in installers.items() if item == found]
        if not same:
            of_name = [item for path, item in installers.items() if path.endswith(f"/{name}")]
            for item in of_name[:1]:
                compare_file(name, found, item)
            raise IntegrityError(
                f"{name} has the SHA-256 {found.sha256}, which {release.name} does not name",
                hint="It is of another release, or was changed. Do not run it.",
            )
        note.text = f"{name} is {same[0]}: {found.length:,} bytes, {found.sha256}"


Digest = Callable[[str, SignedFile], "SignedFile | None"]
"""Returns what a file of a site is, by its path and what was signed of it; `None` if it is missing."""


def walk_site(
    walk: ChainWalk, site: Evidence, anchor: TrustAnchor, digest: Digest, plain: Iterable[str]
) -> None:
    """Walk through a site: all roles, all releases, and all files.

    A mirror may lack releases, or the channel; that is said.

    Parameters
    ----------
    plain
        The files of the site that people and conda see.
    """
    chain = RoleChain(walk=walk, metadata=site.metadata, now=anchor.now, fresh=True)
    chain.begin(anchor.root)
    there = set(plain)
    work = _SiteWork(chain=chain, digest=digest, there=there)
    with suppress(ChainBrokenError):
        work.shared_files()
    for track in chain.tracks:
        with suppress(ChainBrokenError):
            chain.track(track)
            work.compare(f"list of {track}", chain.files(track))
            for release in chain.releases(track):
                with suppress(ChainBrokenError):
                    work.release(track, release, site.read)
    others = sorted(there - work.known)
    if others:
        shown = ", ".join(others[:3])
        walk.uncovered("other files", 2, f"{plural(len(others), 'file')} in no list, such as {shown}")


@dataclass(slots=True, kw_only=True)
class _SiteWork:
    chain: RoleChain
    digest: Digest
    there: set[str]
    known: set[str] = field(default_factory=set)

    def shared_files(self) -> None:
        """Compare what ``site`` has signed."""
        files = self.chain.files(SITE)
        channel = {path for path in files if path.startswith("channel/")}
        if channel and not channel & self.there:
            self.chain.walk.uncovered("channel", 3, f"{len(channel):,} files of the channel are not here")
            files = {path: item for path, item in files.items() if path not in channel}
        self.compare("files of the site", files)

    def compare(self, name: str, files: Mapping[str, SignedFile]) -> None:
        """Compare files, which must be there."""
        self.known |= files.keys()
        with self.chain.walk.link(name, 3) as note:
            for path, signed in sorted(files.items(), key=lambda item: (item[0].endswith(SUMS), item[0])):
                found = self.digest(path, signed)
                if found is None:
                    raise IntegrityError(f"{path} is missing, which a list names", hint=_AGAIN)
                compare_file(path, found, signed)
            note.text = f"{plural(len(files), 'file')}, as signed"

    def release(self, track: str, release: str, read: Read) -> None:
        """Compare a release."""
        self.chain.release(track, release)
        files = self.chain.files(release)
        self.known |= files.keys()
        if not files.keys() & self.there:
            self.chain.walk.uncovered("files", 4, f"the {len(files):,} files of {release} are not here")
            return
        self.compare(f"files of {release}", files)
        verify_release(self.chain, track, release, read, None)
