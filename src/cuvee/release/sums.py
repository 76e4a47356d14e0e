"""The sums of what a release hands out, and the publisher's signature over them."""

from collections.abc import Iterable
from pathlib import Path

from cuvee.files import sha256_file, write_bytes, write_text
from cuvee.image.model import ImageSigner
from cuvee.installers.artefact import Artefact
from cuvee.trust.keys import public_pem

SUMS, SIGNATURE, PUBLIC_KEY = "SHA256SUMS", "SHA256SUMS.sig", "signing-key.pem"
"""Files of the release folder: the sums, their signature (64 bytes), and the key that checks it (PEM)."""
_ALSO = ("sbom/*.json", "lock/*", "checks/certificate.json", "installers/constructor/**/*")
"""Bills of materials, the lock, the proof that it fits together, and what a rebuild starts from."""


def write_sums(folder: Path, artefacts: Iterable[Artefact], signer: ImageSigner | None) -> None:
    """Write the sums of the artefacts and of what vouches for them; sign them, if there is a key.

    Without one, a signature that is there stays for as long as it fits.
    """
    sums = {item.path: item.sha256 for item in artefacts if item.sha256}
    for pattern in _ALSO:
        files = (path for path in folder.glob(pattern) if path.is_file())
        sums |= {path.relative_to(folder).as_posix(): sha256_file(path) for path in files}
    text = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(sums.items()))
    before = (folder / SUMS).read_text(encoding="utf-8") if (folder / SUMS).is_file() else None
    write_text(folder / SUMS, text)
    if signer is None and before == text:
        return
    if signer is None:
        for name in (SIGNATURE, PUBLIC_KEY):
            (folder / name).unlink(missing_ok=True)
        return
    write_bytes(folder / SIGNATURE, signer.sign(text.encode()))
    write_text(folder / PUBLIC_KEY, public_pem(signer.public))
