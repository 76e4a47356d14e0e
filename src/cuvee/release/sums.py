"""The sums stage: the hash of every file that a release consists of, as it was when it was made."""

from cuvee.approvals.sums_file import SUMS, read_sums, sums_text
from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes, write_text
from cuvee.release.record import Release
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage

__all__ = ["FORCED", "PUBLIC_KEY", "SIGNATURE", "SUMS", "make_sums", "read_sums", "sums_text"]

SIGNATURE, PUBLIC_KEY = "SHA256SUMS.sig", "signing-key.pem"
"""Files of the release folder: the signature of the sums (64 bytes), and the key that checks it (PEM)."""

FORCED = "signed-anyway.json"
"""Why a release was signed that is not ready. It is in the sums, so that it cannot be taken away."""

PROVENANCE = "trust/provenance"
STATEMENT, ENVELOPE = ".intoto.json", ".intoto.jsonl"
"""How files in that folder end: what is stated, and the same signed, which is not in the sums."""

_NOT_HANDED_OUT = ("images/",)  # installers hold them
_LISTS = "/manifest.json.zst"
"""But for the list of an image's files: by it, whoever has a prefix finds what was approved."""


def make_sums(session: Session, release: Release) -> None:
    """Run the stage; the sums are of all files that the stages of this run have made or found unchanged.

    Programs of packages have run since then, so files are compared with the hashes that this process keeps.

    Raises
    ------
    IntegrityError
        If a file has changed since it was made.
    """
    folder, made = session.workspace.folder, session.make.made
    changed = session.make.changed()
    if changed:
        raise IntegrityError(
            "Files have changed since they were made:\n"
            + "\n".join(f"  {folder / path}" for path in changed),
            hint="Nothing was signed. Find out what changed them; the next run makes them again.",
        )
    handed_out = {item.path for item in release.artefacts}
    text = sums_text(
        {
            path: sha256
            for path, sha256 in made.items()
            if path in handed_out or path.endswith(_LISTS) or not path.startswith(_NOT_HANDED_OUT)
        }
    )

    def run() -> Made[None]:
        if not (folder / SUMS).is_file() or (folder / SUMS).read_text(encoding="utf-8") != text:
            for name in (SIGNATURE, PUBLIC_KEY, FORCED):  # they were of other sums
                (folder / name).unlink(missing_ok=True)
            for path in (folder / PROVENANCE).glob(f"*{ENVELOPE}"):
                path.unlink()
            write_text(folder / SUMS, text)
        return Made(result=None, outputs=(folder / SUMS,))

    session.make(Stage(name="sums", inputs=text, run=run, load=lambda _: None))
    # Whoever signs on another machine compares this with what has arrived there.
    session.reporter.say(f"SHA-256 of {SUMS}: {sha256_bytes(text.encode())}")
