"""The sums of a release, their signature, and the way of a key from the command line to the installer."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from cuvee import process
from cuvee.cli.main import run
from cuvee.installers.artefact import Artefact, Missing
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release.pipeline import open_release, release
from cuvee.release.sums import write_sums
from cuvee.trust.keys import SigningKey, read_public_key
from tiny_distribution import NOW, Distribution


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    private = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    path = tmp_path / "publisher.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return SigningKey.read(path)


def test_sums_name_what_is_handed_out(tmp_path: Path, key: SigningKey) -> None:
    made = Artefact(name="b.sh", path="installers/b.sh", kind="sh installer", sha256="b" * 64)
    first = Artefact(name="a.exe", path="installers/a.exe", kind="exe installer", sha256="c" * 64)
    absent = Artefact(name="c.msi", path="installers/c.msi", kind="msi", missing=Missing(reason="no wixl"))
    bill = tmp_path / "sbom" / "linux-64.cdx.json"
    bill.parent.mkdir()
    bill.write_text("{}")
    project = tmp_path / "installers" / "constructor" / "linux-64" / "construct.yaml"
    project.parent.mkdir(parents=True)
    project.write_text("{}")
    write_sums(tmp_path, [made, first, absent], key)
    text = (tmp_path / "SHA256SUMS").read_text()
    assert text.splitlines() == [
        f"{'c' * 64}  installers/a.exe",
        f"{'b' * 64}  installers/b.sh",
        f"{hashlib.sha256(b'{}').hexdigest()}  installers/constructor/linux-64/construct.yaml",
        f"{hashlib.sha256(b'{}').hexdigest()}  sbom/linux-64.cdx.json",
    ]
    pem = (tmp_path / "signing-key.pem").read_bytes()
    public = load_pem_public_key(pem)
    public.verify((tmp_path / "SHA256SUMS.sig").read_bytes(), text.encode())  # type: ignore[call-arg,union-attr]
    assert read_public_key(pem.decode()) == key.public
    write_sums(tmp_path, [made, first, absent], None)  # such as by `cuvee report`
    assert (tmp_path / "SHA256SUMS.sig").is_file()
    write_sums(tmp_path, [made], None)
    assert sorted(path.name for path in tmp_path.glob("S*")) == ["SHA256SUMS"]


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_key_that_is_none_ends_before_any_work(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "key"
    wrong.write_text("secret words")
    argv = ["release", str(tmp_path / "absent.yaml")]
    if by == "variable":
        monkeypatch.setenv("CUVEE_SIGNING_KEY", str(wrong))
    else:
        argv += ["--sign-key", str(wrong)]
    assert run(argv) == 2
    told = capsys.readouterr()
    assert "holds no private key" in told.err
    assert "secret" not in told.err + told.out


@pytest.mark.real
def test_signed_release(copied: Callable[[], Distribution], key: SigningKey, host_platform: str) -> None:
    distribution = copied()
    (path,) = distribution.root.glob("manifests/tiny/*.yaml")
    context = open_release(
        load_manifest(path, today=NOW.date()),
        dist=distribution.dist,
        cache=distribution.root / "cache",
        now=NOW,
        reporter=SILENT,
        platforms=[host_platform],
        signer=key,
    )
    with context.workspace.alone():
        result = release(context)
    sh = next(result.folder.glob("installers/*.sh"))

    def ask(*arguments: str) -> process.Completed:
        return process.run(process.Request(argv=("/bin/sh", str(sh), *arguments), timeout=60))

    assert json.loads(ask("--info", "--json").stdout)["signed_by"] == key.public.hex()
    assert ask("--check", "--key", str(result.folder / "signing-key.pem")).exit_code == 0
    bill = result.folder / "sbom" / f"{host_platform}.cdx.json"
    assert ask("--sbom").stdout == bill.read_text()
    sums = shutil.which("sha256sum")
    assert sums is not None
    done = process.run(process.Request(argv=(sums, "--check", "SHA256SUMS"), cwd=result.folder, timeout=60))
    assert done.ok
    assert f"{bill.relative_to(result.folder)}: OK" in done.stdout
