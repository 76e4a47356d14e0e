"""Approvals in a release folder: a file per person, which can be copied from machine to machine."""

from collections.abc import Mapping
from pathlib import Path

from cuvee.approvals.dsse import LARGEST_ENVELOPE
from cuvee.approvals.sums_file import read_sums
from cuvee.codec import Json
from cuvee.errors import CuveeError, UsageError
from cuvee.files import canonical_json, sha256_bytes

APPROVALS = "approvals"
"""The folder with the approvals, in a release folder."""

MANIFEST, POLICY = "release.json#manifest", "release.json#manifest.policy"
"""The names under which the manifest, and the policy in it, are approved."""

_NOT_APPROVED = ("report/", "release.json", "signed-anyway.json")
_MOST_FILES = 200


def approved_subjects(folder: Path, manifest: Mapping[str, Json]) -> dict[str, str]:
    """Return what an approval of the release in a folder is about: SHA-256 of files and values, by name.

    These are all files of ``SHA256SUMS``, but the report and the record, which are written again when
    somebody has approved; of the record, the manifest with its policy and waivers, as canonical JSON.
    Without sums there is nothing that could be approved.
    """
    try:
        sums = read_sums(folder)
    except CuveeError:
        return {}
    return subjects_of(sums, manifest)


def subjects_of(sums: Mapping[str, str], manifest: Mapping[str, Json]) -> dict[str, str]:
    """Return what an approval of a release with these sums is about; see `approved_subjects`."""
    files = {path: sha256 for path, sha256 in sums.items() if not path.startswith(_NOT_APPROVED)}
    values = {MANIFEST: manifest, POLICY: manifest["policy"]}
    return files | {name: sha256_bytes(canonical_json(value)) for name, value in values.items()}


def read_approvals(folder: Path) -> list[tuple[str, bytes]]:
    """Return the name and the bytes of each approval in a release folder, sorted by name.

    Raises
    ------
    UsageError
        If there are more than any distribution needs.
    """
    paths = sorted((folder / APPROVALS).glob("*.json"))
    if len(paths) > _MOST_FILES:
        raise UsageError(
            f"{folder / APPROVALS} has {len(paths):,} files, and at most {_MOST_FILES} are read",
            hint="Remove those that are not approvals of this release.",
        )
    found = []
    for path in paths:
        with path.open("rb") as stream:
            found.append((path.name, stream.read(LARGEST_ENVELOPE + 1)))
    return found
