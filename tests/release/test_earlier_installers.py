"""From which releases an upgrade is tested, and what is said of installers that are not there."""

import datetime as dt
from pathlib import Path
from platform import libc_ver

import pytest

import cuvee.process  # noqa: F401 - read before fast tests take Popen away from it
from cuvee.lock.model import Lock
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.earlier_installers import earlier_releases, supported_releases
from cuvee.release.record import ChannelResult, InstallerResult, LockResult, Release
from cuvee.release.session import Options, Session
from tiny_distribution import MANIFEST, NOW

HOST = "linux-64"
CHILD = """\
manifest: 1
distribution: tiny
version: "{version}"
based-on: "{base}"
"""


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """Four releases, each based on the one before; the support of the first two ends at different times."""
    folder = tmp_path / "tiny"
    (tmp_path / "integration_tests" / "desktop").mkdir(parents=True)
    (tmp_path / "integration_tests" / "desktop" / "suite.yaml").write_text("kind: lifecycle")
    folder.mkdir()
    first = MANIFEST.format(host=HOST, glibc=libc_ver()[1] or "2.36").replace("[smoke]", "[smoke, desktop]")
    support = "support: {{track: stable, until: {}}}\n"
    texts = {
        "2026.8.0": first.replace("2026.11.0", "2026.8.0") + support.format("2026-10-01"),
        "2026.9.0": CHILD.format(version="2026.9.0", base="2026.8.0") + support.format("2026-12-01"),
        "2026.10.0": CHILD.format(version="2026.10.0", base="2026.9.0") + support.format("2026-11-01"),
        "2026.11.0": CHILD.format(version="2026.11.0", base="2026.10.0"),
    }
    for version, text in texts.items():
        (folder / f"{version}.yaml").write_text(text)
    return folder


def session(manifests: Path, base: Path | None = None) -> Session:
    manifest = load_manifest(manifests / "2026.11.0.yaml", today=NOW.date())
    root = manifests.parent
    options = Options(dist=root / "dist", cache=root / "cache", now=NOW, base=base)
    return Session(manifest, options, SILENT)


def write_release(manifests: Path, version: str, folder: Path, *artefacts: Artefact) -> None:
    manifest = load_manifest(manifests / f"{version}.yaml", today=NOW.date())
    Release(
        manifest=manifest,
        channel=ChannelResult(stage="channel"),
        locked=LockResult(stage="lock", lock=Lock(platforms=())),
        installers=(InstallerResult(stage=f"installers-{HOST}", platform=HOST, artefacts=artefacts),),
        made_at=NOW,
        folder=folder,
    ).save()


def artefact(name: str, form: str) -> Artefact:
    path = f"installers/{name}"
    return Artefact(path=path, kind=ArtefactKind.INSTALLER, platform=HOST, format=form, sha256="1" * 64)


def test_the_base_and_what_is_still_supported(manifests: Path) -> None:
    newest = load_manifest(manifests / "2026.11.0.yaml", today=NOW.date())
    assert [str(item.version) for item in supported_releases(newest, dt.date(2026, 11, 22))] == [
        "2026.10.0",
        "2026.9.0",
    ]
    assert [str(item.version) for item in supported_releases(newest, dt.date(2026, 9, 30))] == [
        "2026.10.0",
        "2026.9.0",
        "2026.8.0",
    ]


def test_installers_are_beside_the_release(manifests: Path) -> None:
    dist = manifests.parent / "dist"
    files = [artefact("Tiny.msi", "msi"), artefact("Tiny.sh", "sh")]
    write_release(manifests, "2026.10.0", dist / "tiny-2026.10.0", *files)
    base, older = earlier_releases(session(manifests), HOST)
    where = "copy it to installers/Tiny.sh in its release folder"
    assert base.absent == f"Tiny.sh of tiny-2026.10.0 is not here: {where}"
    assert older.absent.startswith("the release folder of tiny-2026.9.0 is not here: copy it beside")
    installer = dist / "tiny-2026.10.0" / "installers" / "Tiny.sh"
    installer.parent.mkdir()
    installer.touch()
    base, _ = earlier_releases(session(manifests), HOST)
    assert (base.version, base.installer, base.sha256) == ("2026.10.0", installer, "1" * 64)
    assert "has no .exe or .sh for win-64" in earlier_releases(session(manifests), "win-64")[0].absent
    assert earlier_releases(session(manifests), "osx-64") == ()


def test_the_base_may_be_elsewhere(manifests: Path) -> None:
    elsewhere = manifests.parent / "elsewhere"
    write_release(manifests, "2026.10.0", elsewhere, artefact("Tiny.sh", "sh"))
    (elsewhere / "installers").mkdir()
    (elsewhere / "installers" / "Tiny.sh").touch()
    base, older = earlier_releases(session(manifests, base=elsewhere), HOST)
    assert base.installer == elsewhere / "installers" / "Tiny.sh"
    assert older.absent


def test_an_unreadable_record_is_named_without_its_path(manifests: Path) -> None:
    folder = manifests.parent / "dist" / "tiny-2026.10.0"
    folder.mkdir(parents=True)
    (folder / "release.json").write_text("{")
    base, _ = earlier_releases(session(manifests), HOST)
    assert base.absent.startswith("the record of tiny-2026.10.0 cannot be read: ")
    assert str(folder) not in base.absent


def test_without_such_a_suite_nothing_is_looked_for(manifests: Path) -> None:
    oldest = manifests / "2026.8.0.yaml"
    oldest.write_text(oldest.read_text().replace("[smoke, desktop]", "[smoke]"))
    assert earlier_releases(session(manifests), HOST) == ()


def test_what_constructor_made_is_not_upgraded(manifests: Path) -> None:
    path = manifests / "2026.11.0.yaml"
    base = manifests / "2026.10.0.yaml"
    base.write_text(base.read_text() + "installers: {engine: constructor}\n")
    path.write_text(path.read_text() + "installers: {engine: cuvee}\n")
    (first, *_) = earlier_releases(session(manifests), HOST)
    assert "constructor" in first.unsupported
