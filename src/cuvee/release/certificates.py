"""The certificate of a release: written by the check stage, and checked again from the file only."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cuvee.errors import SourceUnreachableError
from cuvee.files import sha256_bytes, sha256_file, write_bytes
from cuvee.graph.certificate import (
    CertificateInputs,
    VerifiedCertificate,
    build_certificate,
    verify_certificate,
)
from cuvee.graph.checks import ALL_CHECKS, CheckOutcome
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.lock.pixi_lock import read_lock
from cuvee.manifest.folder_lookup import find_upwards
from cuvee.manifest.model import Manifest
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
        CertificateInputs(
            manifests={path.name: sha256_file(path) for path in _manifests(graph.manifest)},
            lock=sha256_file(workspace.lock_file),
            repodata=_repodata(workspace, graph),
        ),
        [result for result in results if result.identifier in identifiers],
    )
    write_bytes(workspace.certificate_file, data)
    return refused


def check_certificate(path: Path, *, lock: Path | None = None) -> VerifiedCertificate:
    """Check a certificate again, with no more than the file, and the lock if there is one.

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
        If it does not hold.
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
    if lock is None:
        return verify_certificate(path.read_bytes(), name=str(path))
    known = read_lock(lock)
    return verify_certificate(
        path.read_bytes(), name=str(path), lock=known, lock_sha256=sha256_bytes(lock.read_bytes())
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


def _manifests(manifest: Manifest | None) -> list[Path]:
    """Return the files of a manifest and of all that it is based on."""
    found = []
    while manifest is not None:
        found.append(manifest.path)
        manifest = manifest.base
    return found


def _repodata(workspace: Workspace, graph: ReleaseGraph) -> dict[str, str]:
    """Hash the repodata of the channels that are folders; a remote one's records are in the lock."""
    subdirs = sorted({"noarch", *graph.lock.by_platform})
    folders = {name: Path(name) for name in graph.manifest.channels if Path(name).is_absolute()}
    folders["channel"] = workspace.channel
    return {
        f"{name}/{subdir}": sha256_file(folder / subdir / "repodata.json")
        for name, folder in folders.items()
        for subdir in subdirs
        if (folder / subdir / "repodata.json").is_file()
    }
