"""How to verify an installer and to install it without questions, as commands to paste."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from cuvee.release.artefacts import Artefact, ArtefactKind

SUMS = "sha256sum --check --ignore-missing SHA256SUMS"
"""Verifies all files of the release folder, on Linux."""

SIGNATURE = (
    "openssl pkeyutl -verify -pubin -inkey publisher.pub.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig"
)
"""Verifies a signed release, with the publisher's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The commands for one installer, on its own system.

    Attributes
    ----------
    verify
        Prints its SHA-256, which must be the one of the page.
    install
        Installs it for all users, without questions.
    """

    name: str
    verify: str
    install: str


def deployments(artefacts: Iterable[Artefact], distribution: str) -> tuple[Deployment, ...]:
    """Return the commands for each installer that was made and whose format has such commands."""
    found = []
    for item in artefacts:
        if item.kind is ArtefactKind.INSTALLER and item.not_made is None:
            verify, install = _commands(item, distribution)
            if install:
                found.append(Deployment(name=item.name, verify=verify, install=install))
    return tuple(found)


def _commands(item: Artefact, distribution: str) -> tuple[str, str]:
    name, quoted = shlex.quote(item.name), f'"{item.name}"' if " " in item.name else item.name
    match item.format:
        case "sh":
            tool = "shasum -a 256" if (item.platform or "").startswith("osx") else "sha256sum"
            return f"{tool} {name}", f"sudo sh {name} -b -p {shlex.quote(f'/opt/{distribution}')}"
        case "pkg":
            return f"shasum -a 256 {name}", f"sudo installer -pkg {name} -target /"
        case "exe":
            return (
                f"certutil -hashfile {quoted} SHA256",
                f'start /wait "" {quoted} /S /InstallationType=AllUsers',
            )
        case "msi":
            return f"certutil -hashfile {quoted} SHA256", f"msiexec /i {quoted} /qn"
        case _:
            return "", ""
