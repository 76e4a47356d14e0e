"""Verifying what a path names: a bundle, a site, a release folder, an installer or a prefix."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cuvee.approvals.sums_file import SUMS
from cuvee.errors import IntegrityError, UsageError
from cuvee.files import sha256_file
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD
from cuvee.report.human_units import plural
from cuvee.runtime.prefix_state import MARKER
from cuvee.trust.bundle_zip import BUNDLE, LARGEST_BUNDLE, is_zip
from cuvee.trust.chain_links import ChainBrokenError, ChainVerdict, ChainWalk
from cuvee.trust.chain_subjects import (
    Evidence,
    TrustAnchor,
    link_installer,
    release_with,
    walk_bundle,
    walk_site,
    walk_to_release,
)
from cuvee.trust.prefix_chain import installed_release, link_image, walk_prefix
from cuvee.trust.release_bundle import read_metadata
from cuvee.trust.release_chain import IMAGES, IN_CHANNEL, HeldFiles, VerifiedRelease, compare_file
from cuvee.trust.site_metadata import SignedFile
from cuvee.trust.site_roles import check_path
from cuvee.trust.site_writer import METADATA_FOLDER, TARGETS_FOLDER, hashed_path

_GIVE = "Name the bundle of the release with --bundle, or the folder of the site or its mirror with --site."
_HIGHEST = 5
_URL = re.compile(r"[a-z][a-z0-9+.-]+:/")
_NOT_RELEASED = (".stages/", "set-aside/", "imports/", "builds/", *IN_CHANNEL)
_MOST = 1 << 28


def verify_subject(path: Path, anchor: TrustAnchor, given: Path | None) -> ChainVerdict:
    """Return whether the chain from a root to what ``path`` names holds.

    Parameters
    ----------
    given
        A bundle or a site that has the chain; by default that which is beside the subject.

    Raises
    ------
    UsageError
        If ``path`` names nothing that can be verified.
    """
    kind = kind_of(path)
    walk = ChainWalk()
    with suppress(ChainBrokenError):
        _WALKS[kind](walk, path, anchor, given)
    return ChainVerdict(kind=kind, subject=str(path), links=tuple(walk.links))


def kind_of(path: Path) -> str:
    """Return what a path names.

    Raises
    ------
    UsageError
        If it is nothing that can be verified.
    """
    if _URL.match(str(path)) and not path.exists():
        raise UsageError(f"{path} is not on this machine", hint="Copy the site first: `cuvee mirror`.")
    if path.is_file():
        with path.open("rb") as stream:
            return "bundle" if is_zip(stream.read(4)) else "installer"
    if (path / METADATA_FOLDER / "timestamp.json").is_file():
        return "site"
    if (path / MARKER).is_file():
        return "prefix"
    if (path / RECORD).is_file():
        return "release"
    raise UsageError(
        f"{path} is neither a bundle, a signed site, a release folder, an installer nor an installed release",
        hint="A site has metadata/timestamp.json, a release folder release.json.",
    )


def _bundle(walk: ChainWalk, path: Path, anchor: TrustAnchor, _: Path | None) -> None:
    walk_bundle(walk, _evidence(walk, path), anchor)


def _site(walk: ChainWalk, path: Path, anchor: TrustAnchor, _: Path | None) -> None:
    evidence = _evidence(walk, path)

    def digest(name: str, signed: SignedFile) -> SignedFile | None:
        """Return what a file is; if it is right, that below ``targets`` must be the same."""
        check_path(name)
        plain = path / name
        if not plain.is_file():
            return None
        found = _described(plain)
        twin = path / TARGETS_FOLDER / hashed_path(name, signed.sha256)
        if found == signed and not (twin.is_file() and (twin.samefile(plain) or _described(twin) == signed)):
            raise IntegrityError(
                f"{twin.relative_to(path).as_posix()} is missing, or not what its name says",
                hint="Restore it from a copy of the site.",
            )
        return found

    skipped = {METADATA_FOLDER, TARGETS_FOLDER}
    plain = (
        name
        for name in _files_below(path)
        if name.split("/")[0] not in skipped and name != ".lock" and not name.endswith(f"/{BUNDLE}")
    )
    walk_site(walk, evidence, anchor, digest, plain)


def _release(walk: ChainWalk, path: Path, anchor: TrustAnchor, given: Path | None) -> None:
    evidence = _found(walk, given or _beside_release(path))
    held = HeldFiles(
        files={name: _described(path / name) for name in _files_below(path) if _is_released(name)},
        needed=lambda name: not name.startswith(IN_CHANNEL),
    )
    with walk.link("folder", 0) as note:
        name = Release.from_bytes((path / RECORD).read_bytes(), source=str(path / RECORD)).name
        note.text = f"it says that it has {name}"
    if evidence is None:
        return
    verified = walk_to_release(walk, evidence, anchor, name)
    with walk.link("files of the folder", 4) as note:
        _compare_folder(held, verified)
        note.text = f"{plural(len(held.files), 'file')}, as signed"
    _compare_packages(walk, path, verified)


def _compare_folder(held: HeldFiles, verified: VerifiedRelease) -> None:
    for name, found in sorted(held.files.items(), key=lambda item: (item[0] == SUMS, item[0])):
        if name not in verified.listed:
            raise IntegrityError(f"{name} is there, and is in no list", hint="Remove it.")
        compare_file(name, found, verified.listed[name])
    missing = sorted(verified.listed.keys() - held.files.keys())
    if missing:
        raise IntegrityError(f"{missing[0]} is missing, which the list names", hint="Copy the release again.")


def _compare_packages(walk: ChainWalk, folder: Path, verified: VerifiedRelease) -> None:
    """Walk to the packages that a release folder has, and a published one has not."""
    named = {name: sha256 for name, sha256 in verified.sums.items() if name.startswith(IN_CHANNEL)}
    there = [name for name in named if (folder / name).is_file()]
    if named and not there:
        walk.uncovered("packages", 4, f"{len(named):,} files of the sums are not here, but in the channel")
        return
    with walk.link("packages", 4) as note:
        for name, sha256 in named.items():
            if name not in there or sha256_file(folder / name) != sha256:
                what = "is not the file that SHA256SUMS names" if name in there else "is missing"
                raise IntegrityError(f"{name} {what}", hint="Copy the release again.")
        note.text = f"{len(named):,} files of its channel are as they were approved"


def _is_released(name: str) -> bool:
    """Whether a file of a release folder is one that is published."""
    if name.startswith(_NOT_RELEASED) or name in {BUNDLE, ".lock"}:
        return False
    return not name.startswith(IMAGES) or name.endswith("/manifest.json.zst")


def _installer(walk: ChainWalk, path: Path, anchor: TrustAnchor, given: Path | None) -> None:
    evidence = _found(walk, given or _beside_installer(path))
    if evidence is None:
        return
    found = _described(path)
    release = release_with(evidence, found.sha256, path.name) if evidence.members is None else ""
    link_installer(walk, walk_to_release(walk, evidence, anchor, release), path.name, found)


def _prefix(walk: ChainWalk, path: Path, anchor: TrustAnchor, given: Path | None) -> None:
    evidence = _found(walk, given)
    with walk.link("prefix", 0) as note:
        installed = installed_release(path)
        name = f"{installed.manifest.distribution}-{installed.manifest.version}"
        note.text = f"it says that it holds {name}"
    if evidence is not None:
        link_image(walk, walk_to_release(walk, evidence, anchor, name), installed)
    walk_prefix(walk, installed)


_WALKS = {"bundle": _bundle, "site": _site, "release": _release, "installer": _installer, "prefix": _prefix}


def _found(walk: ChainWalk, path: Path | None) -> Evidence | None:
    if path is None:
        walk.open("root", 0, "there is neither a bundle nor a site that leads from your root to this", _GIVE)
        return None
    return _evidence(walk, path)


def _evidence(walk: ChainWalk, path: Path) -> Evidence:
    """Return what has the chain.

    Raises
    ------
    ChainBrokenError
        If it is a file, and not a bundle.
    UsageError
        If there is nothing.
    """
    if path.is_file():
        with walk.link("bundle file", 0) as note:
            if path.stat().st_size > LARGEST_BUNDLE:
                raise IntegrityError(f"{path} has more than {LARGEST_BUNDLE:,} bytes", hint=_GIVE)
            found = Evidence.of_bundle(path.read_bytes(), str(path))
            note.text = str(path)
        return found
    if not (path / METADATA_FOLDER).is_dir():
        raise UsageError(f"{path} is neither a bundle nor a signed site", hint=_GIVE)

    def read(name: str) -> bytes | None:
        check_path(name)
        file = path / name
        if not file.is_file() or file.stat().st_size > _MOST:
            return None
        return file.read_bytes()

    return Evidence(source=str(path), metadata=read_metadata(path), read=read)


def _beside_release(folder: Path) -> Path | None:
    bundle = folder / BUNDLE
    return _site_above(folder) or (bundle if bundle.is_file() else None)


def _beside_installer(path: Path) -> Path | None:
    names = (
        path.with_name(f"{path.name}.bundle.zip"),
        path.with_name("bundle.zip"),
        path.parent.parent / BUNDLE,
    )
    bundle = next((name for name in names if name.is_file()), None)
    return bundle or _site_above(path)


def _site_above(path: Path) -> Path | None:
    """Return the signed site that a path is in."""
    above = [*path.resolve().parents][:_HIGHEST]
    return next((p for p in above if (p / METADATA_FOLDER / "timestamp.json").is_file()), None)


def _described(path: Path) -> SignedFile:
    return SignedFile(length=path.stat().st_size, sha256=sha256_file(path))


def _files_below(folder: Path) -> Iterator[str]:
    """Yield the files below a folder; a link is one of them, and not followed."""
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if Path(parent, name).is_symlink()]
        for name in [*names, *links]:
            yield Path(parent, name).relative_to(folder).as_posix()
