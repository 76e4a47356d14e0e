"""The Authenticode signature of Windows files, as `osslsigncode` reads it."""

import re
import shutil
from pathlib import Path

from cuvee.errors import IntegrityError
from cuvee.process import Request, run

SIGNER = "Python Software Foundation"

_SUBJECT = re.compile(r"Signer's certificate:.*?Subject\s*:\s*(?P<subject>[^\n]*)", re.DOTALL)
_DIGEST = re.compile(r"(Current|Calculated) message digest\s*:\s*(?P<digest>[0-9A-F]+)")
_ORGANISATION = re.compile(r"(?:^|[/,]\s*)O\s*=\s*(?P<name>[^/,\n]+)")


def check_signer(files: list[Path]) -> str:
    """Check that each file carries its own digest, signed in the name of the Python Software Foundation.

    Returns
    -------
    str
        For people: what was checked. Files' hashes are pinned anyway, so a machine that lacks the tool or the
        authorities' certificates can still pack them.

    Raises
    ------
    IntegrityError
        If a file was changed after it was signed, or somebody else signed it.
    """
    tool = shutil.which("osslsigncode")
    if tool is None:
        return "signature not checked: osslsigncode is not installed"
    verified = True
    for path in files:
        # Lists of revoked certificates are fetched over plain HTTP, which many build machines can not.
        completed = run(Request(argv=(tool, "verify", "-ignore-crl", "-in", str(path)), timeout=120))
        check_output(completed.stdout + completed.stderr, path.name)
        verified &= completed.ok
    chain = "verified up to this machine's authorities" if verified else "its chain can not be verified here"
    return f"signed by the {SIGNER}, {chain}"


def check_output(text: str, name: str) -> None:
    """Judge what ``osslsigncode verify`` said of the file ``name``.

    Raises
    ------
    IntegrityError
        If the digest or the signer is another one.
    """
    digests = [match["digest"] for match in _DIGEST.finditer(text)]
    if len(digests) < 2 or digests[0] != digests[1]:  # noqa: PLR2004 - the one it states and the one it has
        raise IntegrityError(f"{name} is not as its publisher signed it", hint="Nothing was used of it.")
    subject = _SUBJECT.search(text)
    organisation = _ORGANISATION.search(subject["subject"]) if subject else None
    if organisation is None or organisation["name"].strip() != SIGNER:
        found = organisation["name"].strip() if organisation else "nobody"
        raise IntegrityError(
            f"{name} is signed by {found}, not by the {SIGNER}", hint="Nothing was used of it."
        )
