"""`<distribution>-admin status`: only what the release's own publisher signed is believed."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cuvee.errata.desktop_errata import desktop_errata
from cuvee.files import canonical_json
from cuvee.runtime import known_errata
from cuvee.runtime.failure import DAMAGED, FAILED, MISSING, USAGE, InstallError
from cuvee.runtime.payload_manifest import PayloadManifest
from cuvee.runtime.prefix_state import InstalledRelease
from made_errata import BOTH, ERRATUM, FIXED, PUBLISHER, checked

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def installed(
    version: str, *, platform: str = "linux-64", distribution: str = "tiny", signed: bool = True
) -> InstalledRelease:
    fields: dict[str, Any] = dict.fromkeys(PayloadManifest._fields)
    fields |= {"distribution": distribution, "version": version, "title": "Tiny", "platform": platform}
    fields["key"] = (KEY.public_key().public_bytes_raw().hex(), 0) if signed else None
    return InstalledRelease("/prefix", "", PayloadManifest(**fields), None)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return signed errata as `cuvee errata --output` writes them."""
    erratum = checked(tmp_path, ERRATUM, {"2026.10.0": BOTH, "2026.10.1": FIXED})
    return write(tmp_path / "errata.json", canonical_json(desktop_errata((erratum,), PUBLISHER)))


def write(path: Path, data: bytes, key: Ed25519PrivateKey = KEY) -> Path:
    path.write_bytes(data)
    path.with_name(f"{path.name}.sig").write_bytes(key.sign(data))
    return path


def refused(release: InstalledRelease, path: Path) -> tuple[int, str]:
    with pytest.raises(InstallError) as caught:
        known_errata.status(release, str(path), frozenset())
    return caught.value.code, caught.value.message


def test_what_is_not_fixed_is_listed(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert known_errata.status(installed("2026.10.0"), str(path), frozenset()) == FAILED
    assert capsys.readouterr().out == (
        "tiny-2026-1 (high, CVE-2026-12345): Entities in zlab <b>are read twice</b>\n"
        "  has: zlab 1.2; fixed in: 2026.10.1\n"
        "  workaround: Read no files of other people.\n"
        "Tiny 2026.10.0 lacks the fixes of 1 erratum, as known on 2026-12-02\n"
    )
    assert known_errata.status(installed("2026.10.0"), str(path), frozenset({"--json"})) == FAILED
    document = json.loads(capsys.readouterr().out)
    assert document["updated"] == "2026-12-02"
    assert [(row["number"], row["packages"], row["fixed"]) for row in document["errata"]] == [
        ("tiny-2026-1", ["zlab 1.2"], ["2026.10.1"])
    ]


@pytest.mark.parametrize(("version", "platform"), [("2026.10.1", "linux-64"), ("2026.10.0", "osx-64")])
def test_a_release_or_platform_without_the_flaw_is_good(
    path: Path, capsys: pytest.CaptureFixture[str], version: str, platform: str
) -> None:
    assert known_errata.status(installed(version, platform=platform), str(path), frozenset()) == 0
    assert "lacks no fix of a known erratum, as known on 2026-12-02" in capsys.readouterr().out


def test_what_another_key_signed_or_nobody_is_refused(path: Path) -> None:
    release = installed("2026.10.0")
    data = path.read_bytes()
    write(path, data, OTHER)
    assert refused(release, path)[0] == DAMAGED
    write(path, data)
    path.write_bytes(data.replace(b"1.2", b"1.1"))
    code, message = refused(release, path)
    assert (code, "is not signed by" in message) == (DAMAGED, True)
    write(path, data)
    signature = path.with_name("errata.json.sig")
    signature.write_bytes(signature.read_bytes() + b"\n")
    assert refused(release, path)[0] == DAMAGED
    signature.unlink()
    assert refused(release, path) == (USAGE, f"{signature} cannot be read: No such file or directory.")


def test_a_release_without_a_key_believes_nobody(path: Path) -> None:
    assert refused(installed("2026.10.0", signed=False), path)[0] == MISSING


def test_errata_of_another_distribution_are_refused(path: Path) -> None:
    code, message = refused(installed("2026.10.0", distribution="lab"), path)
    assert (code, message) == (USAGE, f"{path} is about tiny, not about lab.")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"[" * 100_000, b'{"errata": 2}', b'{"errata": 1}', b'{"errata": 1, "distributions": []}',
        b'{"errata": 1, "updated": "", "distributions": {"tiny": [{"affected": []}]}}',
        b'{"errata": 1, "updated": "", "distributions": {"tiny": [1]}}',
    ],
)  # fmt: skip
def test_what_is_signed_and_strange_is_refused(path: Path, data: bytes) -> None:
    assert refused(installed("2026.10.0"), write(path, data))[0] == USAGE
