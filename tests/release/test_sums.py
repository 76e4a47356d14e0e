"""The sums of a release, their signature, and the way of a key from the command line to the installer."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee import process
from cuvee.cli.main import run
from cuvee.trust.keys import SigningKey
from needed_programs import HANGING
from tiny_distribution import Distribution, write_key


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.read(write_key(tmp_path))


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_key_that_is_none_ends_before_any_work(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "key"
    wrong.touch(0o600)
    wrong.write_text("secret words")
    argv = ["release", str(tmp_path / "absent.yaml")]
    if by == "variable":
        monkeypatch.setenv("CUVEE_SIGNING_KEY", str(wrong))
    else:
        argv += ["--sign-key", str(wrong)]
    assert run(argv) == 2
    told = capsys.readouterr()
    assert "has no private key" in told.err
    assert "secret" not in told.err + told.out


@pytest.mark.real
def test_signed_release(copied: Callable[[], Distribution], key: SigningKey, host_platform: str) -> None:
    distribution = copied()
    (path,) = distribution.root.glob("manifests/tiny/*.yaml")
    result = distribution.cut(path, host_platform, signer=key)
    sh = next(result.folder.glob("installers/*.sh"))

    def ask(*arguments: str) -> process.Completed:
        return process.run(process.Request(argv=("/bin/sh", str(sh), *arguments), timeout=HANGING))

    assert json.loads(ask("--info", "--json").stdout)["signed_by"] == key.public.hex()
    assert ask("--check", "--key", str(result.folder / "signing-key.pem")).exit_code == 0
    bill = result.folder / "sbom" / f"{host_platform}.cdx.json"
    assert ask("--sbom").stdout == bill.read_text()
    sums = shutil.which("sha256sum")
    assert sums is not None
    done = process.run(
        process.Request(argv=(sums, "--check", "SHA256SUMS"), cwd=result.folder, timeout=HANGING)
    )
    assert done.ok
    assert f"{bill.relative_to(result.folder)}: OK" in done.stdout
