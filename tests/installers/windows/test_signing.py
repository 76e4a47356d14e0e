"""Signing with a self-made certificate, and what stays true of a signed installer."""

import os
from pathlib import Path

import pytest

from cuvee import process
from cuvee.errors import BlockedError, UsageError
from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.formats import make
from cuvee.installers.windows.exe import build_exe
from cuvee.installers.windows.osslsigncode import (
    Osslsigncode,
    certificate_fingerprint,
    signer_from_environment,
)
from cuvee.process import Request
from cuvee.progress import SILENT
from cuvee.runtime.windows.exe_container import open_container
from needed_programs import need
from wine_desktop import Wine

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Osslsigncode:
    need("osslsigncode", "openssl")
    folder = tmp_path_factory.mktemp("it's a certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    options = ("-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Tests")
    usage = ("-addext", "extendedKeyUsage=codeSigning")
    argv = ("openssl", "req", "-x509", *options, *usage, "-keyout", str(key), "-out", str(certificate))
    assert process.run(Request(argv=argv)).ok
    return Osslsigncode.find(certificate=certificate, key=key)


def verified(signer: Osslsigncode, path: Path) -> bool:
    argv = (signer.program, "verify", "-CAfile", str(signer.certificate), "-in", str(path))
    return process.run(Request(argv=argv)).ok


def test_signed_installers_work(
    *, win_image: Image, win_exe: Path, branding: Branding, signer: Osslsigncode, wine: Wine, tmp_path: Path
) -> None:
    exe = tmp_path / "Signed.exe"
    build_exe(win_image, branding=branding, target=exe, reporter=SILENT, signer=signer, compression="quick")
    assert verified(signer, exe)
    assert not verified(signer, win_exe)
    assert open_container(str(exe)).manifest_size == open_container(str(win_exe)).manifest_size
    prefix = tmp_path / "tiny"
    assert wine.install(exe, prefix).exit_code == 0
    assert verified(signer, prefix / "Uninstall-Tiny.exe")
    assert wine.install(exe, prefix, "/Uninstall=1").exit_code == 0
    assert not prefix.exists()


def test_the_environment_says_what_signs(
    win_image: Image,
    branding: Branding,
    signer: Osslsigncode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert signer_from_environment({}) is None
    with pytest.raises(UsageError, match="only one is set"):
        signer_from_environment({"CUVEE_AUTHENTICODE_KEY": str(signer.key)})
    monkeypatch.setenv("CUVEE_AUTHENTICODE_CERTIFICATE", str(signer.certificate))
    monkeypatch.setenv("CUVEE_AUTHENTICODE_KEY", str(signer.key))
    assert certificate_fingerprint(os.environ) != certificate_fingerprint({}) == ""
    assert verified(signer, make("exe", win_image, branding, tmp_path / "x.exe", SILENT))


def test_what_can_not_be_signed(signer: Osslsigncode, tmp_path: Path) -> None:
    text = tmp_path / "x.exe"
    text.write_text("text")
    with pytest.raises(BlockedError, match="could not be signed"):
        signer.sign(text)
    assert text.read_text() == "text"
    with pytest.raises(BlockedError, match="does not exist"):
        Osslsigncode.find(certificate=tmp_path / "no", key=text)
