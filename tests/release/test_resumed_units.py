"""Units of an interrupted run are believed only where programs of packages cannot have written them."""

from pathlib import Path

import pytest

import tiny_index
from cuvee.integration.kept_units import KeptUnits
from cuvee.integration.outcomes import PlatformRun
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.qemu import QemuRunner
from cuvee.integration.runners.wine import WineRunner
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release import test_stage
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.pipeline import lock_release
from cuvee.release.record import InstallerResult
from cuvee.release.session import Options, Session
from tiny_distribution import NOW


@pytest.mark.parametrize(("level", "kept"), [("net,pid,files", True), ("net,pid,user", False), (None, False)])
def test_units_are_kept_only_with_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str | None, kept: bool
) -> None:
    monkeypatch.setattr("cuvee.integration.runners.native.strongest_isolation", lambda: level)
    monkeypatch.setattr(
        "cuvee.integration.runners.selection.select_runner", lambda *_, **__: (NativeRunner(), "")
    )
    given: list[object] = []

    def run_with(*_: object, kept: KeptUnits | None, **__: object) -> PlatformRun:
        given.append(kept)
        return PlatformRun(platform="linux-64", runner="native")

    monkeypatch.setattr(test_stage, "run_with", run_with)
    channel = tiny_index.write_index(tmp_path / "channel", [tiny_index.entry("app 1")])
    path = tiny_index.write_manifest(tmp_path / "manifests", channel, 'app: "*"')
    options = Options(dist=tmp_path / "dist", cache=tmp_path / "cache", now=NOW)
    session = Session(load_manifest(path, today=NOW.date()), options, SILENT)
    (lock,) = lock_release(session).lock.platforms
    monkeypatch.setattr(Session, "archives", lambda *_: {})
    installer = Artefact(path="installers/Tiny.sh", kind=ArtefactKind.INSTALLER, format="sh", sha256="0")
    test_stage.make_tests(session, lock, [InstallerResult(platform="linux-64", artefacts=(installer,))])
    assert [isinstance(item, KeptUnits) for item in given] == [kept]


def test_emulators_keep_no_files_away(tmp_path: Path) -> None:
    assert not WineRunner().keeps_files_away()
    assert not QemuRunner(tmp_path).keeps_files_away()
