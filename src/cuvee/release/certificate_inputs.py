"""The inputs of a certificate: their hashes when it is written, and what became of them since."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cuvee.conda.package_record import OWN_CHANNEL
from cuvee.files import sha256_file
from cuvee.graph.certificate import Certificate, CertificateInputs, ComparedInput, InputState
from cuvee.lock.model import Lock
from cuvee.manifest.folder_lookup import find_upwards
from cuvee.manifest.model import Manifest
from cuvee.release.workspace import Workspace

_REPODATA = "repodata.json"


def certificate_inputs(workspace: Workspace, manifest: Manifest, lock: Lock) -> CertificateInputs:
    """Return the hashes of what a release was made from; records of remote channels are in its lock."""
    folders = {name: folder for name in manifest.channels if (folder := _folder_of(name)) is not None}
    folders[OWN_CHANNEL] = workspace.channel
    return CertificateInputs(
        manifests={path.name: sha256_file(path) for path in _manifests(manifest)},
        lock=sha256_file(workspace.lock_file),
        repodata={
            f"{name}/{subdir}": sha256_file(folder / subdir / _REPODATA)
            for name, folder in folders.items()
            for subdir in sorted({"noarch", *lock.by_platform})
            if (folder / subdir / _REPODATA).is_file()
        },
    )


def compare_inputs(certificate: Certificate, *, path: Path, lock: Path | None) -> tuple[ComparedInput, ...]:
    """Compare the inputs that a certificate names with those that are found from its file.

    Parameters
    ----------
    path
        The certificate; if it is in ``checks/`` of a release folder, the release's own channel is compared.
    lock
        The lock that the certificate is held against, if there is one.
    """
    inputs = certificate.inputs
    found = [_lock(lock)]
    for name, sha256 in inputs.manifests.items():
        manifest = _manifest(name, certificate.release, path)
        if manifest is None and lock is not None:
            manifest = lock.with_name(name)  # of a foreign lock, it is itself, and the workspace beside it
        missing = f"it is not in a folder manifests/ above {path.parent} or the working folder"
        found.append(_compared(f"the manifest {name}", sha256, manifest, missing))
    for name, sha256 in inputs.repodata.items():
        repodata = _repodata(name, path)
        missing = "it is not here" if repodata is not None else "the certificate is not in a release folder"
        found.append(_compared(f"the repodata of {name}", sha256, repodata, missing))
    return (*found, *_metapackages(certificate, path), *_remote(certificate))


def _lock(lock: Path | None) -> ComparedInput:
    """Return that the lock was compared, if there is one: another one is refused with all differences."""
    if lock is not None:
        return ComparedInput(name="the lock", state=InputState.SAME)
    return ComparedInput(name="the lock", state=InputState.NOT_COMPARED, reason="no lock was named or found")


def _compared(name: str, sha256: str, path: Path | None, missing: str) -> ComparedInput:
    if path is None or not path.is_file():
        return ComparedInput(name=name, state=InputState.NOT_COMPARED, reason=missing)
    actual = sha256_file(path)
    if actual == sha256:
        return ComparedInput(name=name, state=InputState.SAME)
    reason = f"{path} has SHA-256 {actual}, and the certificate was made from {sha256}"
    return ComparedInput(name=name, state=InputState.DIFFERS, reason=reason)


def _metapackages(certificate: Certificate, path: Path) -> Iterator[ComparedInput]:
    """Yield the metapackages: they are files of the release folder whose certificate it is."""
    is_in_folder = path.resolve().parent.name == "checks"
    missing = "it is not here" if is_in_folder else "the certificate is not in a release folder"
    for proof in certificate.platforms.values():
        for record in proof.metapackages:
            # Not the stated URL: a certificate that somebody else wrote must not name other files.
            name = Path(unquote(record.url)).name
            channel = path.resolve().parent.parent / "metapackages"
            archive = channel / Path(record.subdir).name / name if is_in_folder else None
            yield _compared(
                f"the metapackage {record.stem} of {record.subdir}", record.sha256, archive, missing
            )


def _remote(certificate: Certificate) -> Iterator[ComparedInput]:
    for name in certificate.channels:
        if not any(key.startswith(f"{name}/") for key in certificate.inputs.repodata):
            yield ComparedInput(
                name=f"the repodata of {name}",
                state=InputState.NOT_COMPARED,
                reason="the certificate has no hash of it; `cuvee check` compares the records",
            )


def _manifest(name: str, release: str, path: Path) -> Path | None:
    distribution = release.rpartition("-")[0]
    for start in (path.resolve().parent, Path.cwd()):
        folder = find_upwards(start, f"manifests/{distribution}") if distribution else None
        if folder is not None and (folder / name).is_file():
            return folder / name
    return None


def _repodata(name: str, path: Path) -> Path | None:
    """Return where the repodata that a certificate names as ``<channel>/<subdir>`` would be."""
    channel, _, subdir = name.rpartition("/")
    folder = _folder_of(channel)
    if channel == OWN_CHANNEL and path.resolve().parent.name == "checks":
        folder = path.resolve().parent.parent / OWN_CHANNEL
    return folder / subdir / _REPODATA if folder is not None else None


def _folder_of(channel: str) -> Path | None:
    """Return the folder that a channel is, whether it is named by path or by URL."""
    if channel.startswith("file://"):
        from urllib.request import url2pathname

        return Path(url2pathname(urlsplit(channel).path))
    return Path(channel) if Path(channel).is_absolute() else None


def _manifests(manifest: Manifest | None) -> Iterator[Path]:
    """Yield the files of a manifest and of all that it is based on."""
    while manifest is not None:
        yield manifest.path
        manifest = manifest.base
