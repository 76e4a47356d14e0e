"""The certificate of a release: written by the check stage, and checked again from the file only."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from cuvee.errors import SourceUnreachableError
from cuvee.files import sha256_bytes, write_bytes
from cuvee.graph.certificate import VerifiedCertificate, build_certificate, verify_certificate
from cuvee.graph.checks import ALL_CHECKS, CheckOutcome
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.lock.pixi_lock import read_lock
from cuvee.manifest.folder_lookup import find_upwards
from cuvee.release.certificate_inputs import certificate_inputs, compare_inputs
from cuvee.release.workspace import Workspace

_FILE_FAMILY = "files"
_MOST_BYTES = 1 << 30


def write_certificate(
    workspace: Workspace, graph: ReleaseGraph, results: Sequence[CheckOutcome]
) -> Mapping[str, Sequence[str]]:
    """Write ``checks/certificate.json``; return the platforms that it cannot certify, and why."""
    identifiers = {check.identifier for check in ALL_CHECKS if check.family == _FILE_FAMILY}
    data, refused = build_certificate(
        graph,
        certificate_inputs(workspace, graph.manifest, graph.lock),
        [result for result in results if result.identifier in identifiers],
    )
    write_bytes(workspace.certificate_file, data)
    return refused


def check_certificate(path: Path, *, lock: Path | None = None) -> VerifiedCertificate:
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
    SourceUnreachableError
        If there is no certificate, or no lock where one was named.
    """
    if not path.is_file():
        raise SourceUnreachableError(
            f"There is no certificate at {path}", hint="`cuvee certify MANIFEST` writes one."
        )
    if path.stat().st_size > _MOST_BYTES:
        raise SourceUnreachableError(f"{path} is too large to be a certificate")
    beside = path.parent.parent / "lock" / "pixi.lock"
    if lock is None and beside.is_file():
        lock = beside
    return verify_certificate(
        path.read_bytes(),
        name=str(path),
        lock=read_lock(lock) if lock is not None else None,
        lock_sha256=sha256_bytes(lock.read_bytes()) if lock is not None else None,
        compare=partial(compare_inputs, path=path, lock=lock),
    )


def manifest_of(folder: Path) -> Path:
    """Return the manifest that a release folder was made from, by its name: ``<distribution>-<version>``.

    Raises
    ------
    SourceUnreachableError
        If there is none in a folder ``manifests`` above the release folder or the working folder.
    """
    name = folder.resolve().name
    distribution, _, version = name.rpartition("-")
    for start in (folder.resolve(), Path.cwd()):
        found = find_upwards(start, f"manifests/{distribution}") if distribution else None
        if found is not None and (found / f"{version}.yaml").is_file():
            return found / f"{version}.yaml"
    raise SourceUnreachableError(
        f"The manifest of {name} is not in a folder manifests/ above {folder.resolve()}",
        hint="Name the manifest: `cuvee certify MANIFEST --dist FOLDER`.",
    )
