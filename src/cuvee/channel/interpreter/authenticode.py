"""The Authenticode signatures of Windows files, verified by `osslsigncode`.

https://learn.microsoft.com/en-us/windows-hardware/drivers/install/authenticode
"""

import re
import shutil
from pathlib import Path

from cuvee.errors import IntegrityError
from cuvee.process import Request, run

SIGNER = "Python Software Foundation"

_TIMEOUT = 120.0
_SUBJECT = re.compile(r"Signer's certificate:.*?Subject\s*:\s*(?P<subject>[^\n]*)", re.DOTALL)
_DIGEST = re.compile(r"(Current|Calculated) message digest\s*:\s*(?P<digest>[0-9A-F]+)")
_ORGANISATION = re.compile(r"(?:^|[/,]\s*)O\s*=\s*(?P<name>[^/,\n]+)")


def check_signer(files: list[Path]) -> str:
    """Check that each file is signed by the Python Software Foundation and was not changed since.

    Returns
    -------
    str
        What was checked, for a message. The hashes of the files are pinned anyway, so a machine without the
        tool or the certificates can still pack them.

    Raises
    ------
    IntegrityError
        If a file does not match its signature, or somebody else signed it.
    """
    tool = shutil.which("osslsigncode")
    if tool is None:
        return "signature not checked: osslsigncode is not installed"
    verified, options = True, _options(tool)
    for path in files:
        completed = run(Request(argv=(tool, "verify", *options, "-in", str(path)), timeout=_TIMEOUT))
        check_output(completed.stdout + completed.stderr, path.name)
        verified &= completed.ok
    chain = "verified up to this machine's authorities" if verified else "its chain cannot be verified here"
    return f"signed by the {SIGNER}, {chain}"


def _options(tool: str) -> tuple[str, ...]:
    """Return the options with which no certificate revocation list is fetched.

    They are served over plain HTTP, which many build networks block. Debian 12's osslsigncode 2.5 neither
    fetches any nor knows the option.
    """
    usage = run(Request(argv=(tool, "verify", "--help"), timeout=_TIMEOUT))
    return ("-ignore-crl",) if "-ignore-crl" in usage.stdout + usage.stderr else ()


def check_output(text: str, name: str) -> None:
    """Check the output of ``osslsigncode verify`` for the file ``name``.

    Raises
    ------
    IntegrityError
        If the digest or the signer differs.
    """
    digests = [match["digest"] for match in _DIGEST.finditer(text)]
    if not digests:
        said = next((line.strip() for line in text.splitlines() if line.strip()), "nothing")
        raise IntegrityError(
            f"osslsigncode reads no signature of {name}, and says: {said}", hint="It was not used."
        )
    if len(digests) < 2 or digests[0] != digests[1]:  # noqa: PLR2004 - the signed one and the calculated one
        raise IntegrityError(f"{name} does not match its signature", hint="It was not used.")
    subject = _SUBJECT.search(text)
    organisation = _ORGANISATION.search(subject["subject"]) if subject else None
    if organisation is None or organisation["name"].strip() != SIGNER:
        found = organisation["name"].strip() if organisation else "an unknown signer"
        raise IntegrityError(f"{name} is signed by {found}, not by the {SIGNER}", hint="It was not used.")
