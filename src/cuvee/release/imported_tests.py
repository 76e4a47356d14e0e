"""Results of tests that ran elsewhere, kept in a release folder until the release is cut again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import IntegrityError, UsageError
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.record import Failure, Release, judge

if TYPE_CHECKING:
    from cuvee.integration.imported_results import ImportedResults

IMPORTS = "imports"
"""The folder of a release folder for them."""

_ADDED = Failure(
    message="Results of tests on other machines were added, and the release was not cut again",
    hint="Run `cuvee release` again as before.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResults:
    """The file in the release folder that has imported results.

    ``replaces`` is whether it had others, from the same source: of another suite or machine, for example.
    """

    path: Path
    replaces: bool = False


def keep_results(release: Release, results: "Sequence[ImportedResults]") -> tuple[KeptResults, ...]:
    """Write results into the release folder. The same results again change nothing.

    From then on the record is not ready: these results may block what it says is.

    Raises
    ------
    IntegrityError
        If they are of another installer than one that the release has for the platform. Nothing is written.
    UsageError
        If the release has no installer for the platform at all.
    """
    from cuvee.integration.imported_results import DOCUMENT

    for item in results:
        _check(release, item)
    kept = []
    is_stale = False
    for item in results:
        path = _path(release.folder, item)
        before = path.read_bytes() if path.is_file() else None
        changes = before != DOCUMENT.to_bytes(item)
        if changes and not is_stale:
            is_stale = True
            stale = replace(release, failure=_ADDED)
            replace(stale, verdict=judge(stale)).save()
        DOCUMENT.write(path, item)
        kept.append(KeptResults(path=path, replaces=changes and before is not None))
    return tuple(kept)


def imports_of(folder: Path, platform: str, made: Iterable[Artefact]) -> "tuple[ImportedResults, ...]":
    """Return the results that were kept for these installers; those for others are not of this release."""
    paths = sorted((folder / IMPORTS / platform).glob("*.json"))
    if not paths:
        return ()
    from cuvee.integration.imported_results import DOCUMENT

    hashes = {item.sha256 for item in made if item.not_made is None}
    found = []
    for path in paths:
        results = DOCUMENT.read(path)
        if results.installer_sha256 in hashes and results.platform == platform:
            found.append(results)
    return tuple(found)


def _check(release: Release, results: "ImportedResults") -> None:
    installers = [
        item
        for item in release.handed_out
        if item.kind is ArtefactKind.INSTALLER and item.platform == results.platform and item.sha256
    ]
    if not installers:
        known = sorted({item.platform for item in release.handed_out if item.platform and item.sha256})
        raise UsageError(
            f"{results.source}: {release.name} has no installer for {results.platform}",
            hint=f"It has some for {', '.join(known)}." if known else "Run `cuvee release MANIFEST` first.",
        )
    if results.installer_sha256 not in {item.sha256 for item in installers}:
        names = "\n".join(f"  {item.sha256}  {item.name}" for item in installers)
        raise IntegrityError(
            f"{results.source} is about an installer with the SHA-256 {results.installer_sha256}, which"
            f" is none of {release.name}'s for {results.platform}:\n{names}",
            hint="Test one of these; nothing was imported.",
        )


def _path(folder: Path, results: "ImportedResults") -> Path:
    return folder / IMPORTS / results.platform / f"{results.source_sha256[:32]}.json"
