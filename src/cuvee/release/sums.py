"""The sums stage: the hashes of what a release hands out, and the publisher's signature over them."""

from collections.abc import Iterable
from pathlib import Path

from cuvee.codec import Json
from cuvee.files import write_bytes, write_text
from cuvee.image.model import ImageSigner
from cuvee.release.record import Artefact, Release
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage
from cuvee.trust.keys import public_pem

SUMS, SIGNATURE, PUBLIC_KEY = "SHA256SUMS", "SHA256SUMS.sig", "signing-key.pem"
"""Files of the release folder: the sums, their signature (64 bytes), and the key that checks it (PEM)."""


def sums_text(artefacts: Iterable[Artefact]) -> str:
    """Return the lines of ``SHA256SUMS``, in the form that ``sha256sum --check`` reads, sorted by path."""
    sums = {item.path: item.sha256 for item in artefacts if item.sha256}
    return "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(sums.items()))


def write_sums(folder: Path, artefacts: Iterable[Artefact], signer: ImageSigner | None) -> None:
    """Write the sums of artefacts, and sign them if there is a key.

    Without a key, a signature that is there stays for as long as it fits.
    """
    text = sums_text(artefacts)
    before = (folder / SUMS).read_text(encoding="utf-8") if (folder / SUMS).is_file() else None
    write_text(folder / SUMS, text)
    if signer is not None:
        write_bytes(folder / SIGNATURE, signer.sign(text.encode()))
        write_text(folder / PUBLIC_KEY, public_pem(signer.public))
    elif before != text:
        for name in (SIGNATURE, PUBLIC_KEY):
            (folder / name).unlink(missing_ok=True)


def make_sums(session: Session, release: Release) -> None:
    """Run the stage; the sums are of all artefacts of the release."""
    folder, signer = session.workspace.folder, session.options.signer

    def run() -> Made[None]:
        write_sums(folder, release.artefacts, signer)
        return Made(result=None, outputs=tuple(folder / name for name in (SUMS, SIGNATURE, PUBLIC_KEY)))

    inputs: Json = [sums_text(release.artefacts), signer.public.hex() if signer is not None else None]
    session.make(Stage(name="sums", inputs=inputs, run=run, load=lambda _: None))
