"""Which files of two builds of the same package differ."""

import hashlib
from pathlib import Path
from typing import Literal, get_args

from cuvee.conda.package_archive import archive_errors, member_chunks, members
from cuvee.files import sha256_file

_Component = Literal["pkg", "info"]
_COMPONENTS: tuple[_Component, ...] = get_args(_Component)


def different_files(one: Path, other: Path) -> tuple[str, ...]:
    """Return the paths that differ or that only one archive has; none if the archives are the same."""
    if sha256_file(one) == sha256_file(other):
        return ()
    before, after = _digests(one), _digests(other)
    differing = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    derived = {"info/paths.json"}  # it has the hashes of the others
    return tuple(sorted(differing - derived or differing)) or ("the order of its members",)


def _digests(archive: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    with archive_errors(archive):
        for component in _COMPONENTS:
            for tar, member in members(archive, component):
                digest = hashlib.sha256(f"{member.type!r} {member.mode} {member.linkname}".encode())
                if member.isreg():
                    for chunk in member_chunks(tar, member, 1 << 40):
                        digest.update(chunk)
                found[member.name] = digest.hexdigest()
    return found
