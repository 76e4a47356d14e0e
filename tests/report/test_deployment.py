"""The commands that verify and install an installer: those of its format, with its name quoted."""

from dataclasses import replace

import pytest

from cuvee.release.artefacts import Artefact, ArtefactKind, NotMade
from cuvee.report.deployment import deployments


def installer(name: str, form: str, platform: str = "linux-64") -> Artefact:
    return Artefact(path=f"installers/{name}", kind=ArtefactKind.INSTALLER, platform=platform, format=form)


@pytest.mark.parametrize(
    ("item", "verify", "install"),
    [
        (installer("A.sh", "sh"), "sha256sum A.sh", "sudo sh A.sh -b -p /opt/lab"),
        (installer("A b.sh", "sh"), "sha256sum 'A b.sh'", "sudo sh 'A b.sh' -b -p /opt/lab"),
        (installer("A.sh", "sh", "osx-64"), "shasum -a 256 A.sh", "sudo sh A.sh -b -p /opt/lab"),
        (installer("A.pkg", "pkg", "osx-64"), "shasum -a 256 A.pkg", "sudo installer -pkg A.pkg -target /"),
        (
            installer("A b.exe", "exe", "win-64"),
            'certutil -hashfile "A b.exe" SHA256',
            'start /wait "" "A b.exe" /S /InstallationType=AllUsers',
        ),
        (installer("A.msi", "msi", "win-64"), "certutil -hashfile A.msi SHA256", "msiexec /i A.msi /qn"),
    ],
)
def test_each_format_has_its_commands(item: Artefact, verify: str, install: str) -> None:
    (found,) = deployments([item], "lab")
    assert (found.name, found.verify, found.install) == (item.name, verify, install)


def test_what_is_no_installer_or_was_not_made_has_none() -> None:
    made = installer("A.sh", "sh")
    missing = replace(made, not_made=NotMade(reason="no"))
    image = replace(made, kind=ArtefactKind.IMAGE, format="")
    assert deployments([missing, image, installer("A.x", "other")], "lab") == ()
