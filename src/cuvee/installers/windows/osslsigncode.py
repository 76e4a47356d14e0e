"""Signing Windows programs with `osslsigncode`, if a certificate is configured.

https://github.com/mtrojnar/osslsigncode
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cuvee import process
from cuvee.errors import BlockedError, UsageError
from cuvee.files import replacing, sha256_file
from cuvee.process import Request

_HINT = "Install osslsigncode: on Debian and Ubuntu, `apt install osslsigncode`."
_TIMEOUT = 600.0


def signer_from_environment(environ: Mapping[str, str]) -> "Osslsigncode | None":
    """Return the signer of Windows installers that the environment configures, or `None`.

    ``CUVEE_AUTHENTICODE_CERTIFICATE`` and ``CUVEE_AUTHENTICODE_KEY`` are PEM files,
    ``CUVEE_AUTHENTICODE_TIMESTAMPS`` is the URL of an RFC 3161 server.

    Raises
    ------
    UsageError
        If only one of the two files is named.
    ToolMissingError, BlockedError
        As `Osslsigncode.find` raises them.
    """
    certificate = environ.get("CUVEE_AUTHENTICODE_CERTIFICATE")
    key = environ.get("CUVEE_AUTHENTICODE_KEY")
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise UsageError(
            "Of CUVEE_AUTHENTICODE_CERTIFICATE and CUVEE_AUTHENTICODE_KEY only one is set",
            hint="Set both to sign Windows installers, or none.",
        )
    times = environ.get("CUVEE_AUTHENTICODE_TIMESTAMPS") or None
    return Osslsigncode.find(certificate=Path(certificate), key=Path(key), timestamps=times)


def certificate_fingerprint(environ: Mapping[str, str]) -> str:
    """Return the hash of the configured certificate; empty if installers are not signed."""
    certificate = Path(environ.get("CUVEE_AUTHENTICODE_CERTIFICATE") or "/")
    return sha256_file(certificate) if certificate.is_file() else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Osslsigncode:
    """Signs with a certificate and its key, both in PEM files.

    Attributes
    ----------
    program
        Absolute path.
    certificate, key
        The certificate with its chain, and the key, without a password.
    timestamps
        URL of an RFC 3161 server; `None` for signatures without a time, which expire with the certificate.
    """

    program: str
    certificate: Path
    key: Path = field(repr=False)
    timestamps: str | None = None

    @classmethod
    def find(cls, *, certificate: Path, key: Path, timestamps: str | None = None) -> Self:
        """Find the program on PATH.

        Raises
        ------
        ToolMissingError
            If it is absent.
        BlockedError
            If the certificate or the key does not exist.
        """
        for path in (certificate, key):
            if not path.is_file():
                raise BlockedError(
                    f"{path} does not exist, so nothing can be signed",
                    hint="Correct the path, or do not configure signing.",
                )
        program = process.find("osslsigncode", hint=_HINT)
        return cls(program=program, certificate=certificate, key=key, timestamps=timestamps)

    def command(self) -> str:
        """Return the command line for NSIS's ``!uninstfinalize``, which replaces ``%1`` by the file."""
        fixed = shlex.join((self.program, "sign", *self._options()))
        return f'{fixed} -in "%1" -out "%1.signed" && mv "%1.signed" "%1"'

    def sign(self, path: Path) -> None:
        """Sign a file in place; after an error it is unchanged.

        Raises
        ------
        BlockedError
            If it cannot be signed.
        """
        with replacing(path) as beside:
            beside.unlink()
            files = ("-in", str(path), "-out", str(beside))
            argv = (self.program, "sign", *self._options(), *files)
            completed = process.run(Request(argv=argv, timeout=_TIMEOUT))
            if not completed.ok or not beside.exists():
                raise BlockedError(
                    f"{path.name} could not be signed:\n{completed.stdout}{completed.stderr}".strip(),
                    hint="Check the certificate, its key and the timestamp server.",
                )

    def _options(self) -> tuple[str, ...]:
        options = ["-certs", str(self.certificate), "-key", str(self.key), "-h", "sha256"]
        if self.timestamps is not None:
            options += ["-ts", self.timestamps]
        return tuple(options)
