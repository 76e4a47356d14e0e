"""The links from a release to each file of a prefix, by the runtime's own comparison.

What a prefix says of itself is not signed: where its hashes are those that it has noted, they are taken
from the signed list of files instead, or that is said.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from cuvee.errors import IntegrityError
from cuvee.report.human_units import plural
from cuvee.runtime.decompression import decompress
from cuvee.runtime.failure import InstallError
from cuvee.runtime.moved_prefix import explanation, moved_from
from cuvee.runtime.payload_manifest import PayloadFile
from cuvee.runtime.prefix_state import MANIFEST, UNPROVED, InstalledRelease, load
from cuvee.runtime.prefix_writer import RELOCATED
from cuvee.runtime.verify import Differences, verify
from cuvee.trust.chain_links import ChainWalk
from cuvee.trust.release_chain import VerifiedRelease, image_path
from cuvee.trust.relocation_proof import is_proven, is_proven_record

_REPAIR = "Repair it with its installer, once that is verified: `INSTALLER --repair`, or the verb `repair`."
_MOST_SHOWN = 3


def installed_release(prefix: Path) -> InstalledRelease:
    """Return the release in a prefix, whose list of files has the hash that the prefix states.

    Raises
    ------
    IntegrityError
        If it is damaged.
    """
    try:
        return load(str(prefix.resolve()))
    except InstallError as error:
        raise IntegrityError(str(error), hint=_REPAIR) from error


def link_image(walk: ChainWalk, release: VerifiedRelease, installed: InstalledRelease) -> None:
    """Walk to the image that was installed: its list of files must be one that was approved."""
    platform = installed.manifest.platform
    path = image_path(platform)
    if path not in release.sums:
        walk.open(
            "image", 4, f"the sums of {release.name} have no {path}", "Cut the release with a newer cuvee."
        )
        return
    with walk.link("image", 4) as note:
        if release.sums[path] != installed.sha256:
            raise IntegrityError(
                f"The list of files in the prefix has the SHA-256 {installed.sha256}, and {path} of "
                f"{release.name} has {release.sums[path]}",
                hint="What is installed is not this release. Install it again, from a verified installer.",
            )
        note.text = f"the list of files for {platform} is {path}"


def walk_prefix(walk: ChainWalk, installed: InstalledRelease) -> None:
    """Walk from a list of files to each file of the prefix."""
    manifest = installed.manifest
    with walk.link("installed files", 5) as note:
        moved = moved_from(installed)
        if moved:
            raise IntegrityError(explanation(installed))
        if Path(installed.prefix, UNPROVED).exists():
            raise IntegrityError("Its post_install has not ended", hint="Start its installer again.")
        _check_notes(installed)
        found = verify(installed)
        _require_good(found)
        _check_runtime(installed)
        untraced = _untraced(installed, found)
        own = sorted(installed.state.own.keys() - {*found.rewritten} - _runtime_hashes(installed).keys())
        note.text = (
            f"{found.files - len(own) - len(untraced):,} of {found.files:,} files are as they were signed"
        )
    signed_again = [path for path in untraced if _is_signed_again(installed, path)]
    changed = [path for path in untraced if path not in signed_again]
    if changed:
        have = "has the prefix in it, and is" if len(changed) == 1 else "have the prefix in them, and are"
        walk.open(
            "files with the prefix",
            6,
            f"{plural(len(changed), 'file')} {have} not what was signed without it: {changed[0]}",
            f"If the prefix has a name that files have anyway, such as /usr, choose another. {_REPAIR}",
        )
    _uncovered(walk, "noted files", own, "are as the installation noted, which is not signed")
    _uncovered(walk, "programs signed again", signed_again, "were signed again on this Mac")
    _uncovered(walk, "byte code", [*found.rewritten, *found.compiled], "were compiled by Python later")
    _uncovered(walk, "byte code to be made", found.waiting, "are not there yet, or Python has made others")
    added = [f"{item.name} {item.version} (with {item.by})" for item in found.added]
    _uncovered(walk, "added packages", added, "were added by somebody")
    if found.meta:
        _uncovered(walk, "notes of conda", found.meta, "are in conda-meta, and of no release")
    if manifest.settings.post_install:
        changed = sorted(
            {*installed.state.own, *installed.state.links, *installed.state.gone} & _paths(installed)
        )
        _uncovered(walk, "changed files", changed, "were changed by the release's post_install")


def _uncovered(walk: ChainWalk, name: str, items: list[str], what: str) -> None:
    if items:
        shown = ", ".join(items[:_MOST_SHOWN]) + (", …" if len(items) > _MOST_SHOWN else "")
        walk.uncovered(name, 6, f"{len(items):,} {what}: {shown}")


def _paths(installed: InstalledRelease) -> set[str]:
    return {*_signed_files(installed), *installed.manifest.links()}


def _signed_files(installed: InstalledRelease) -> dict[str, PayloadFile]:
    manifest = installed.manifest
    lists = [*(frame.files for frame in [*manifest.frames(), *manifest.records]), manifest.stage0]
    return {**{file.path: file for files in lists for file in files}, **manifest.compiled()}


def _check_notes(installed: InstalledRelease) -> None:
    """Raise if a prefix excuses changes that no installation of this release makes."""
    state, files = installed.state, _signed_files(installed)
    excused = [path for path in state.late if path in files and files[path].how not in {*RELOCATED, "record"}]
    if not installed.manifest.settings.post_install:
        excused += sorted({*state.own, *state.links, *state.gone} & _paths(installed))
        excused += sorted({*state.links, *state.gone} - _paths(installed))
    if excused:
        raise IntegrityError(
            f"{excused[0]}: the prefix notes another hash for it than the release has, and nothing in this "
            "release changes it",
            hint=_REPAIR,
        )


def _runtime_hashes(installed: InstalledRelease) -> dict[str, str]:
    """Return the SHA-256 of the files that the installer writes by itself, as far as its list tells them."""
    data = Path(installed.prefix, MANIFEST).read_bytes()
    listed = json.loads(decompress(data, installed.state.manifest_raw)).get("runtime", {})
    return {str(path): str(sha256) for path, sha256 in listed.items()}


def _check_runtime(installed: InstalledRelease) -> None:
    """Raise unless the prefix has noted for the runtime what the list of files says of it."""
    own = installed.state.own
    for path, sha256 in _runtime_hashes(installed).items():
        if path not in own and installed.manifest.system != "win":
            raise IntegrityError(f"{path} is not known to the prefix", hint=_REPAIR)
        if path in own and own[path][1] != sha256:
            raise IntegrityError(
                f"{path}: the prefix notes the SHA-256 {own[path][1]}, and {sha256} was signed", hint=_REPAIR
            )


def _require_good(found: Differences) -> None:
    for what, paths in (
        ("is not as it was signed", found.changed),
        ("is missing", found.missing),
        ("has another mode", found.modes),
        ("is there, and belongs to nothing", found.unknown),
    ):
        if paths:
            more = f" (and {len(paths) - 1:,} more)" if len(paths) > 1 else ""
            raise IntegrityError(f"{paths[0]} {what}{more}", hint=_REPAIR)


def _untraced(installed: InstalledRelease, found: Differences) -> list[str]:
    """Return the files with the prefix in them that are as the prefix has noted, but not as was signed."""
    files, state, system = _signed_files(installed), installed.state, installed.manifest.system
    prefix = state.prefix.encode(errors="surrogateescape")
    skipped = {*found.rewritten, *state.own, *state.gone}
    return [
        path
        for path in sorted(state.late)
        if (signed := files.get(path)) is not None
        and path not in skipped
        and not _is_traced(Path(installed.prefix, path), signed, files, prefix, system)
    ]


def _is_signed_again(installed: InstalledRelease, path: str) -> bool:
    """Whether a file may be a program that the runtime has signed after it has put the prefix into it."""
    return installed.manifest.system == "osx" and _signed_files(installed)[path].how == "binary"


def _is_traced(
    path: Path, signed: PayloadFile, files: Mapping[str, PayloadFile], prefix: bytes, system: str
) -> bool:
    data = path.read_bytes()
    if signed.how == "record":
        return is_proven_record(data, signed, files)
    return is_proven(data, signed, prefix, system)
