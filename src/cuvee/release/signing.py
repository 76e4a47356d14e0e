"""Signing a release, where it was cut or on another machine: what was recorded, and only if it is ready."""

from collections.abc import Mapping
from pathlib import Path

from cuvee.approvals.approval_statement import to_be_signed
from cuvee.approvals.person_key import PublicKeyText
from cuvee.codec import encode
from cuvee.errors import BlockedError, IntegrityError
from cuvee.files import sha256_bytes, sha256_file, write_bytes, write_json, write_text
from cuvee.image.model import ImageSigner
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD
from cuvee.release.sums import (
    ENVELOPE,
    FORCED,
    PROVENANCE,
    PUBLIC_KEY,
    SIGNATURE,
    STATEMENT,
    SUMS,
    read_sums,
    sums_text,
)
from cuvee.trust.keys import public_pem
from cuvee.trust.provenance_statement import envelope_line


def sign_release(folder: Path, signer: ImageSigner, *, reason: str = "") -> str:
    """Sign the sums of a release; return their SHA-256.

    Parameters
    ----------
    reason
        Why a release that is not ready is signed all the same; it is kept in the release.

    Raises
    ------
    UsageError
        If no release has been cut there.
    SourceUnreachableError
        If it has no sums.
    IntegrityError
        If a file is missing, or is not what the sums and the record say.
    BlockedError
        If it is not ready, and there is no reason.
    """
    release = Release.open(folder)
    sums = read_sums(folder)
    verify_files(release, sums)
    sums.pop(FORCED, None)
    if release.exit_code:
        if not reason:
            raise BlockedError(
                f"{release.name} is not ready, so it is not signed: {release.verdict.must_act}",
                hint="`cuvee sign --force REASON` signs it, and keeps the reason in the release.",
            )
        value = {"release": release.name, "verdict": encode(release.verdict), "reason": reason}
        write_json(folder / FORCED, value)
        sums[FORCED] = sha256_file(folder / FORCED)
    else:
        (folder / FORCED).unlink(missing_ok=True)
    text = sums_text(sums)
    write_text(folder / SUMS, text)
    write_bytes(folder / SIGNATURE, signer.sign(text.encode()))
    write_text(folder / PUBLIC_KEY, public_pem(signer.public))
    _sign_provenance(folder, signer, sums)
    return sha256_bytes(text.encode())


def _sign_provenance(folder: Path, signer: ImageSigner, sums: Mapping[str, str]) -> None:
    """Sign the statements of provenance, each in a file beside it."""
    public = PublicKeyText.read_pem(public_pem(signer.public).encode())
    for path in sums:
        if path.startswith(f"{PROVENANCE}/") and path.endswith(STATEMENT):
            statement = (folder / path).read_bytes()
            signature = signer.sign(to_be_signed(statement))
            target = folder / f"{path.removesuffix(STATEMENT)}{ENVELOPE}"
            write_bytes(target, envelope_line(statement, public, signature))


def was_signed_anyway(folder: Path) -> bool:
    """Whether a release was signed although it was not ready, and has the record that was signed."""
    if not (folder / FORCED).is_file() or not (folder / SUMS).is_file():
        return False
    sums = read_sums(folder)
    return all(sums.get(name) == sha256_file(folder / name) for name in (FORCED, RECORD))


def verify_files(release: Release, sums: dict[str, str] | None = None) -> None:
    """Raise if a file of a release is missing, or is not what the sums and the record say.

    Raises
    ------
    IntegrityError
        If so; it lists all.
    """
    sums = read_sums(release.folder) if sums is None else sums
    stated = {item.path: item.sha256 for item in release.artefacts if item.not_made is None}
    problems = [
        f"{path} has the SHA-256 {sha256} in {RECORD}, and {sums.get(path, 'none')} in {SUMS}"
        for path, sha256 in stated.items()
        if sums.get(path) != sha256
    ]
    if RECORD not in sums:
        problems.append(f"{RECORD} is not in {SUMS}")
    for path, sha256 in sums.items():
        file = release.folder / path
        if not file.is_file():
            problems.append(f"{path} is missing")
        elif sha256_file(file) != sha256:
            problems.append(f"{path} is not the file that {SUMS} names")
    if problems:
        raise IntegrityError(
            f"{release.folder} is not what was cut:\n" + "\n".join(f"  {problem}" for problem in problems),
            hint="Nothing was signed. Copy the release again, or run `cuvee release` again.",
        )
