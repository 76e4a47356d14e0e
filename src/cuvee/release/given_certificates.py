"""Certificates of locks of other tools, and the check of any certificate against any lock."""

import datetime as dt
from functools import partial
from pathlib import Path

from cuvee.errors import SourceUnreachableError, UsageError
from cuvee.files import sha256_bytes, sha256_file, write_bytes
from cuvee.graph.certificate import (
    CertificateInputs,
    VerifiedCertificate,
    build_certificate,
    verify_certificate,
)
from cuvee.graph.diff.readers import InputKind, kind_of
from cuvee.graph.diff.readers.pixi_workspace import workspace_file
from cuvee.lock.model import Lock
from cuvee.manifest.documents.named_files import missing_path
from cuvee.release.certificate_inputs import compare_inputs
from cuvee.release.given_set import GivenSet, read_given_set

_MOST_BYTES = 1 << 30


def write_certificate_of(given: GivenSet, path: Path, output: Path | None) -> Path:
    """Write the certificate of a `pixi.lock` of another tool; return its path.

    Raises
    ------
    UsageError
        If it is not a `pixi.lock`, there is no file to write to, or a package has no SHA-256.
    """
    if given.kind is not InputKind.PIXI:
        raise UsageError(
            f"A certificate is about a pixi.lock; {path} is {given.kind.value}",
            hint=f"`cuvee check {path}` checks its records.",
        )
    if output is None:
        raise UsageError("Where is the certificate to be written?", hint="Name a file with --output.")
    unhashed = [item.identifier for item in given.graph.packages() if not item.sha256]
    if unhashed:
        raise UsageError(
            f"{path} states no SHA-256 of {', '.join(unhashed[:3])}: what it is cannot be certified",
            hint=f"`cuvee check {path}` checks its records.",
        )
    lock = path / "pixi.lock" if path.is_dir() else path
    # What is requested is read from these two.
    sources = [item for item in (lock, workspace_file(lock)) if item is not None]
    inputs = CertificateInputs(
        manifests={item.name: sha256_file(item) for item in sources}, lock=sha256_file(lock)
    )
    data, _ = build_certificate(given.graph, inputs)
    write_bytes(output, data)
    return output


def check_certificate(
    path: Path, *, lock: Path | None = None, environment: str | None = None
) -> VerifiedCertificate:
    """Check a certificate again, with no more than the file, and those of its inputs that are here.

    These are the lock, the manifests, and the repodata of channels that are folders.

    Parameters
    ----------
    path
        The certificate.
    lock
        The ``pixi.lock`` that it is about. Left out, it is the one of the certificate's release folder;
        without that, the certificate is checked by itself.

    Raises
    ------
    IntegrityError
        If it does not hold, or an input that is here is not the one that it was made from.
    UsageError
        If there is no certificate, or no lock where one was named.
    """
    if not path.is_file():
        raise missing_path(path, what="certificate", hint="`cuvee certify MANIFEST` writes one.")
    if path.stat().st_size > _MOST_BYTES:
        raise SourceUnreachableError(f"{path} is too large to be a certificate")
    _require_certificate(path)
    beside = path.parent.parent / "lock" / "pixi.lock"
    if lock is None and beside.is_file():
        lock = beside
    if lock is not None and lock.is_dir():
        lock /= "pixi.lock"
    return verify_certificate(
        path.read_bytes(),
        name=str(path),
        lock=_known(lock, environment) if lock is not None else None,
        lock_sha256=sha256_bytes(lock.read_bytes()) if lock is not None else None,
        compare=partial(compare_inputs, path=path, lock=lock),
    )


def _known(lock: Path, environment: str | None) -> Lock:
    kind = kind_of(lock)
    if kind is not InputKind.PIXI:
        raise UsageError(f"{lock} is {kind.value}, not a pixi.lock", hint="Name one with --lock.")
    return read_given_set(lock, today=dt.date.max, environment=environment).lock


def _require_certificate(path: Path) -> None:
    """Raise `UsageError` unless a file looks like a certificate, which is a JSON object."""
    with path.open("rb") as stream:
        start = stream.read(64).lstrip()
    if not start.startswith(b"{"):
        raise UsageError(
            f"{path} is {kind_of(path).value}, not a certificate",
            hint="Name a release folder or its checks/certificate.json; the lock goes to --lock.",
        )
