"""Signed installers, for real: what a prefix believes, and what it refuses."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cuvee import process
from cuvee.image.model import ReleaseLabel
from cuvee.installers.sh import build_sh
from cuvee.progress import SILENT
from cuvee.trust.keys import SigningKey, public_pem
from cuvee.trust.sbom import make_sbom
from needed_programs import HANGING
from tiny_release import LICENSE, Release, build

pytestmark = pytest.mark.real


def key_of(seed: int, folder: Path) -> SigningKey:
    path = folder / f"{seed}.pem"
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    path.touch(0o600)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return SigningKey.read(path)


def signed(release: Release, key: SigningKey, folder: Path, version: str) -> Release:
    label = ReleaseLabel(distribution="tiny", version=version, title="Tiny & Sons")
    image = build(
        release.lock,
        release.archives,
        release.requested,
        folder=folder / "image",
        cache=release.cache,
        version=version,
        sbom=make_sbom(release.lock, release=label, requested=release.requested),
        signer=key,
    )
    installer = build_sh(image, license_text=LICENSE, target=folder / "Tiny.sh", reporter=SILENT)
    return replace(release, image=image, installer=installer)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[SigningKey, SigningKey]:
    folder = tmp_path_factory.mktemp("keys")
    return key_of(1, folder), key_of(2, folder)


@pytest.fixture(scope="module")
def old(
    release: Release, keys: tuple[SigningKey, SigningKey], tmp_path_factory: pytest.TempPathFactory
) -> Release:
    return signed(release, keys[0], tmp_path_factory.mktemp("old"), "2026.11.0")


@pytest.fixture(scope="module")
def new(
    newer: Release, keys: tuple[SigningKey, SigningKey], tmp_path_factory: pytest.TempPathFactory
) -> Release:
    return signed(newer, keys[0], tmp_path_factory.mktemp("new"), "2026.11.1")


@pytest.fixture(scope="module")
def foreign(
    newer: Release, keys: tuple[SigningKey, SigningKey], tmp_path_factory: pytest.TempPathFactory
) -> Release:
    return signed(newer, keys[1], tmp_path_factory.mktemp("foreign"), "2026.11.1")


def admin(
    prefix: Path, *arguments: str | Path, environment: Mapping[str, str] | None = None
) -> process.Completed:
    argv = (str(prefix / "bin" / "tiny-admin"), *map(str, arguments))
    clean = {"PATH": os.environ["PATH"]} | dict(environment or {})
    return process.run(process.Request(argv=argv, environment=clean, timeout=HANGING))


def version(prefix: Path) -> str:
    return str(json.loads((prefix / "conda-meta" / "cuvee" / "release.json").read_text())["version"])


def test_same_key_same_bytes(old: Release, keys: tuple[SigningKey, SigningKey], tmp_path: Path) -> None:
    again = signed(old, keys[0], tmp_path, "2026.11.0")
    assert again.installer.read_bytes() == old.installer.read_bytes()


def test_programs_of_packages_unpack_no_upgrade(old: Release, new: Release, tmp_path: Path) -> None:
    prefix, marker = tmp_path / "prefix", tmp_path / "ran"
    assert old.install("-b", "-p", prefix).ok
    program = prefix / "bin" / "tar"
    program.write_text(f"#!/bin/sh\n: >'{marker}'\nexit 1\n")
    program.chmod(0o755)
    done = admin(prefix, "upgrade", new.installer, environment={"PATH": f"{prefix}/bin:{os.environ['PATH']}"})
    assert (done.exit_code, version(prefix)) == (0, "2026.11.1"), done.stderr
    assert not marker.exists()


def test_key_that_is_asked_for(
    old: Release, release: Release, keys: tuple[SigningKey, SigningKey], tmp_path: Path
) -> None:
    pem = tmp_path / "publisher's key.pem"
    pem.write_text(public_pem(keys[0].public))
    for key in (keys[0].public.hex(), pem):
        assert old.install("--check", "--key", key).exit_code == 0
    assert json.loads(old.install("--info", "--json").stdout)["signed_by"] == keys[0].public.hex()
    assert json.loads(release.install("--info", "--json").stdout)["signed_by"] is None
    wrong = old.install("--check", f"--key={keys[1].public.hex()}")
    assert (wrong.exit_code, wrong.stdout) == (5, "")
    assert f"is signed by {keys[0].public.hex()}, not by {keys[1].public.hex()}" in wrong.stderr
    unsigned = release.install("-b", "-p", tmp_path / "py", "--key", pem)
    assert unsigned.exit_code == 5
    assert "is not signed" in unsigned.stderr
    pem.write_text("nonsense")
    assert old.install("--check", "--key", pem).exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [pem.name]


def test_the_fixes_that_a_release_lacks(
    old: Release, keys: tuple[SigningKey, SigningKey], tmp_path: Path
) -> None:
    """In a folder with a blank, with the release's own Python."""
    flaw = dict.fromkeys(("title", "severity", "summary", "workaround"), "x")
    affected = {"2026.11.0": {old.lock.platform: ["zlib 1.2"]}}
    entry = {"number": "tiny-2026-1", **flaw, "cves": [], "affected": affected, "fixed": ["2026.11.1"]}
    errata = {"errata": 1, "updated": "2026-11-27", "distributions": {"tiny": [entry]}}
    file = tmp_path / "known errata.json"
    file.write_text(json.dumps(errata), encoding="utf-8")
    signature = tmp_path / "known errata.json.sig"
    signature.write_bytes(keys[0].sign(file.read_bytes()))
    prefix = tmp_path / "my prefix"
    assert old.install("-b", "-p", prefix).ok
    found = admin(prefix, "status", "--errata", file)
    assert (found.exit_code, found.stderr) == (1, "")
    assert "has: zlib 1.2; fixed in: 2026.11.1" in found.stdout
    signature.write_bytes(keys[1].sign(file.read_bytes()))
    refused = admin(prefix, "status", "--errata", file, "--json")
    assert (refused.exit_code, refused.stdout) == (5, "")
    assert f"is not signed by {keys[0].public.hex()}" in refused.stderr


def test_signature_of_another_release(old: Release, new: Release, tmp_path: Path) -> None:
    whole = old.installer.read_bytes()
    installer = tmp_path / "Tiny.sh"
    spoilt = bytearray(whole[:-64] + new.installer.read_bytes()[-64:])
    installer.write_bytes(with_digest(bytes(spoilt)))
    done = old.install("-b", "-p", tmp_path / "py", installer=installer)
    assert done.exit_code == 5
    assert "signature is damaged" in done.stderr
    assert not (tmp_path / "py").exists()


def with_digest(data: bytes) -> bytes:
    """Let an installer that was changed agree with itself again, as anybody can."""
    line = re.compile(rb"^DIGEST=[0-9a-f]{64}\n", re.MULTILINE)
    digest = hashlib.sha256(line.sub(b"", data, count=1)).hexdigest()
    return line.sub(f"DIGEST={digest}\n".encode(), data, count=1)


def test_prefix_remembers_who_signed(
    old: Release, new: Release, foreign: Release, newer: Release, tmp_path: Path
) -> None:
    prefix = tmp_path / "py"
    assert old.install("-b", "-p", prefix).exit_code == 0
    for stranger, words in ((foreign, "is signed by"), (newer, "is not signed")):
        for options in (("-u",), ("-f",), ("-u", "--dry-run")):
            refused = stranger.install("-b", "-p", prefix, *options)
            assert refused.exit_code == 5, refused.stderr
            assert words in refused.stderr
            assert "--new-key then allows" in refused.stderr
        assert version(prefix) == "2026.11.0"
    assert new.install("-b", "-u", "-p", prefix).exit_code == 0
    assert version(prefix) == "2026.11.1"
    assert foreign.install("-b", "-u", "-p", prefix, "--new-key").exit_code == 0
    assert admin(prefix, "verify").exit_code == 0


def test_installed_release_judges_its_successor(
    old: Release, new: Release, foreign: Release, tmp_path: Path
) -> None:
    prefix = tmp_path / "some where" / "py"
    assert old.install("-b", "-p", prefix).exit_code == 0
    refused = admin(prefix, "upgrade", foreign.installer)
    assert refused.exit_code == 5
    assert "was signed by" in refused.stderr
    done = admin(prefix, "upgrade", new.installer)
    assert done.exit_code == 0, done.stderr
    assert "2026.11.0 was upgraded to 2026.11.1" in done.stdout
    assert admin(prefix, "verify").exit_code == 0
    assert sorted(path.name for path in prefix.parent.iterdir()) == [".py.cuvee-kept", "py"]
    assert admin(prefix, "rollback").exit_code == 0
    assert version(prefix) == "2026.11.0"
    assert admin(prefix, "upgrade", foreign.installer, "--new-key").exit_code == 0


@pytest.mark.parametrize("part", ["shell", "python", "manifest", "frame"])
def test_nothing_of_a_hostile_installer_runs(part: str, old: Release, new: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "py"
    assert old.install("-b", "-k", "-p", prefix).exit_code == 0
    data = bytearray(new.installer.read_bytes())
    numbers = re.findall(rb"^([A-Z0-9_]+)=(\d+)$", data, re.MULTILINE)
    head = {name.decode(): int(number) for name, number in numbers}
    witness = tmp_path / "it ran"
    if part == "shell":
        evil = f": >'{witness}'; exit 0\n".encode()
        start = data.index(b"usage() {")
        data[start : start + len(evil)] = evil
    else:
        at = {"python": head["HEADER_BYTES"] + 99, "frame": len(data) - 999}
        at["manifest"] = head["HEADER_BYTES"] + head["STAGE0_BYTES"] + 99
        data[at[part]] ^= 1
    installer = tmp_path / "Hostile.sh"
    installer.write_bytes(with_digest(bytes(data)))
    done = admin(prefix, "upgrade", installer)
    assert not witness.exists()
    if part == "shell":  # it was never asked; the rest is what was signed
        assert (done.exit_code, version(prefix)) == (0, "2026.11.1")
        (prefix / "etc" / "place.conf").unlink()
        assert admin(prefix, "repair").exit_code == 0, "with the one that is kept"
        assert admin(prefix, "verify").exit_code == 0
        assert not witness.exists()
        return
    assert done.exit_code == 5, done.stdout + done.stderr
    assert version(prefix) == "2026.11.0"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Hostile.sh", "py"]
    assert admin(prefix, "verify").exit_code == 0


def test_upgrade_of_what_is_not_signed(release: Release, new: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "py"
    assert release.install("-b", "-p", prefix).exit_code == 0
    refused = admin(prefix, "upgrade", new.installer)
    assert refused.exit_code == 1
    assert "is not signed, so a new installer cannot be checked" in refused.stderr
    assert new.install("-b", "-u", "-p", prefix).exit_code == 0
    wrong = [("upgrade",), ("upgrade", "a", "b"), ("upgrade", new.installer, "--wrong")]
    assert {admin(prefix, *arguments).exit_code for arguments in wrong} == {2}
    assert admin(prefix, "upgrade", tmp_path / "absent").exit_code == 1
    assert admin(prefix, "upgrade", prefix / "bin" / "tiny-admin").exit_code == 1


def test_bill_of_materials(old: Release, release: Release, tmp_path: Path) -> None:
    told = old.install("--sbom")
    assert told.exit_code == 0
    names = {component["name"] for component in json.loads(told.stdout)["components"]}
    assert names == {package.name for package in old.lock.packages}
    prefix = tmp_path / "py"
    assert old.install("-b", "-p", prefix).exit_code == 0
    assert admin(prefix, "sbom").stdout == told.stdout
    assert (prefix / "conda-meta" / "cuvee" / "sbom.cdx.json").read_text() == told.stdout
    (prefix / "conda-meta" / "cuvee" / "sbom.cdx.json").write_text("{}")
    assert admin(prefix, "sbom").exit_code == 5
    none = release.install("--sbom")
    assert (none.exit_code, none.stdout) == (3, ""), none.stderr
