"""A fault of the host says nothing about the release, and does not outlive itself."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cuvee import process
from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import OutcomeState
from needed_programs import need_root, needed
from tiny_distribution import Distribution

pytestmark = pytest.mark.real


@pytest.fixture(params=["10m", "60m"], ids=["not even the installer", "not what it installs"])
def small_temp(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A small folder for temporary files, as tmpfs; TMPDIR names it."""
    need_root("mounting a small tmpfs")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = (needed("mount"), "-t", "tmpfs", "-o", f"size={request.param}", "tmpfs", str(folder))
    done = process.run(process.Request(argv=mount))
    if not done.ok:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    assert process.run(process.Request(argv=(needed("umount"), str(folder)))).ok


def test_a_full_disk_is_no_failure_of_the_release_and_passes(
    copied: Callable[[], Distribution],
    small_temp: Path,
    host_platform: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    distribution = copied()
    (path,) = distribution.root.glob("manifests/tiny/*.yaml")
    (distribution.dist / "tiny-2026.11.0" / ".stages" / f"test-{host_platform}.json").unlink()
    full = distribution.cut(path)
    (run,) = (run for run in full.runs if run.platform == host_platform)
    install, *rest = run.outcomes
    assert (install.test, install.state) == ("install", OutcomeState.INFRA_ERROR)
    assert "no space left" in install.reason.lower()
    assert {outcome.state for outcome in rest} == {OutcomeState.NOT_RUN}
    assert full.verdict is Verdict.BLOCKED
    assert list(small_temp.iterdir()) == []
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.delenv("TMPDIR")
    again = distribution.cut(path)
    assert f"test-{host_platform}" not in distribution.recorder.unchanged
    assert again.verdict is Verdict.WARNING
    assert {outcome.state for run in again.runs for outcome in run.outcomes} <= {
        OutcomeState.PASS,
        OutcomeState.NOT_RUN,
    }


def test_a_failure_is_not_reused_and_a_success_only_unless_asked(
    copied: Callable[[], Distribution], host_platform: str
) -> None:
    distribution = copied()
    (path,) = distribution.root.glob("manifests/tiny/*.yaml")
    stage = f"test-{host_platform}"
    distribution.cut(path)
    assert stage in distribution.recorder.unchanged
    distribution.cut(path, retest=True)
    assert stage not in distribution.recorder.unchanged
