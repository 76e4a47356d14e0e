"""Who must have signed an `.exe`: `/key=` and `/newkey=`, under Wine."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.windows.exe import build_exe
from cuvee.progress import SILENT
from cuvee.trust.keys import SigningKey, public_pem
from tiny_distribution import Distribution, Recorder
from wine_desktop import Wine, windows

pytestmark = pytest.mark.real

Keys = tuple[SigningKey, SigningKey]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    found = []
    for seed in (1, 2):
        path = folder / f"{seed}.pem"
        private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        path.touch(0o600)
        path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        found.append(SigningKey.read(path))
    return found[0], found[1]


@pytest.fixture(scope="module")
def sign(
    win_image: Image, branding: Branding, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, SigningKey], Path]:
    """Makes the installer of a release once more, signed."""
    source = win_image.folder.parents[3]

    def make(version: str, key: SigningKey) -> Path:
        root = tmp_path_factory.mktemp("signed")
        (root / "cache").symlink_to(source / "cache")
        distribution = Distribution(root, Recorder())
        text = (source / "manifests" / "tiny" / f"{version}.yaml").read_text(encoding="utf-8")
        distribution.cut(distribution.write(text, version), "win-64", signer=key)
        image = Image.load(distribution.dist / f"tiny-{version}" / "images" / "win-64")
        return build_exe(
            image, branding=branding, target=root / "Tiny.exe", reporter=SILENT, compression="quick"
        )

    return make


@pytest.fixture(scope="module")
def old(sign: Callable[[str, SigningKey], Path], keys: Keys, win_exe: Path) -> Path:
    assert win_exe.exists()
    return sign("2026.11.0", keys[0])


@pytest.fixture(scope="module")
def foreign(sign: Callable[[str, SigningKey], Path], keys: Keys) -> Path:
    """The next release, which somebody else has signed."""
    return sign("2026.11.1", keys[1])


def test_key_that_is_asked_for(old: Path, keys: Keys, wine: Wine, tmp_path: Path) -> None:
    pem = tmp_path / "Müller's key.pem"
    pem.write_text(public_pem(keys[0].public))
    for key in (keys[0].public.hex(), windows(pem)):
        done = wine.run(old, "/check", "/json", f"/key={key}")
        assert (done.exit_code, json.loads(done.stdout)["good"]) == (0, True), done
    signed_by = json.loads(wine.run(old, "/info", "/json").stdout)["signed_by"]
    assert signed_by == keys[0].public.hex()
    wrong = wine.run(old, "/check", "/json", f"--key={keys[1].public.hex()}")
    assert (wrong.exit_code, wrong.stdout) == (5, ""), wrong
    assert f"is signed by {signed_by}, not by {keys[1].public.hex()}" in wrong.stderr
    pem.write_text("nonsense")
    for nonsense in (f"/key={windows(pem)}", "/key=abc", "/key="):
        done = wine.run(old, "/check", nonsense)
        assert (done.exit_code, done.stdout) == (2, ""), done
        assert "public key" in done.stderr


def test_nothing_is_installed_that_another_key_has_signed(
    old: Path, win_exe: Path, keys: Keys, wine: Wine, tmp_path: Path
) -> None:
    right, other = (f"/key={key.public.hex()}" for key in keys)
    prefix = tmp_path / "new" / "tiny"
    for installer, key, words in ((old, other, "is signed by"), (win_exe, right, "is not signed")):
        done = wine.install(installer, prefix, key)
        assert done.exit_code == 5, done
        assert words in done.stderr
        assert words in wine.log("Tiny", "install")
        assert list(tmp_path.iterdir()) == []
    assert wine.install(old, prefix, right).exit_code == 0
    assert wine.install(old, prefix, "/repair", other).exit_code == 5
    assert wine.install(old, prefix, "/repair", right).exit_code == 0
    assert wine.install(old, prefix, "/uninstall", other).exit_code == 5
    assert (prefix / "python.exe").exists()
    assert wine.install(old, prefix, "/uninstall", right).exit_code == 0
    assert list(prefix.parent.iterdir()) == []


def version(prefix: Path) -> str:
    return str(json.loads((prefix / "conda-meta" / "cuvee" / "release.json").read_text())["version"])


def test_upgrade_by_somebody_else(old: Path, foreign: Path, keys: Keys, wine: Wine, tmp_path: Path) -> None:
    prefix = tmp_path / "tiny"
    assert wine.install(old, prefix).exit_code == 0
    for option in ("/Force=1", "/dryrun"):
        done = wine.install(foreign, prefix, option)
        assert done.exit_code == 5, done
        assert "was signed by" in done.stderr
        assert "--new-key then allows" in done.stderr
    assert version(prefix) == "2026.11.0"

    # Windows checks programs by a signature of its own kind, so the command names what to do instead.
    admin = prefix / "Scripts" / "tiny-admin.cmd"
    told = wine.run(admin, "upgrade", windows(foreign))
    assert (told.exit_code, told.stdout) == (1, ""), told
    assert (
        rf"start /wait {windows(foreign)} /S /key={keys[0].public.hex()} /D={windows(prefix)}" in told.stderr
    )
    assert version(prefix) == "2026.11.0"

    plan = json.loads(wine.install(foreign, prefix, "/dryrun", "/newkey=1", "/json").stdout)
    assert (plan["action"], plan["before"]) == ("upgrade", "2026.11.0")
    assert wine.install(foreign, prefix, "--new-key", f"/key={keys[1].public.hex()}").exit_code == 0
    assert version(prefix) == "2026.11.1"
    assert wine.run(admin, "verify").exit_code == 0
    assert wine.install(foreign, prefix, "/uninstall").exit_code == 0
