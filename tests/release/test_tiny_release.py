"""One real release of a tiny distribution: cut, installed with its own installer, tested, reported."""

import functools
import http.server
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rattler import LockFile, PrefixRecord

from cuvee import process
from cuvee.errors import BlockedError, IntegrityError
from cuvee.files import sha256_file
from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import OutcomeState
from cuvee.release.pipeline import STAGES
from cuvee.release.record import Release
from tiny_distribution import Distribution, Recorder

pytestmark = pytest.mark.real


def sh_installer(result: Release) -> Path:
    return next(result.folder / item.path for item in result.handed_out if item.format == "sh")


def test_release_is_complete(tiny: tuple[Distribution, Release], host_platform: str) -> None:
    _, result = tiny
    assert result.verdict is Verdict.WARNING, "win-64 is made here, but nothing runs it"
    assert [lock.platform for lock in result.lock.platforms] == [host_platform, "win-64"]
    for name in (
        "release.json",
        "lock/pixi.lock",
        "checks/findings.json",
        "report/index.html",
        "report/data.json",
    ):
        assert (result.folder / name).is_file(), name
    for item in result.artefacts:
        assert sha256_file(result.folder / item.path) == item.sha256
    assert json.loads((result.folder / "release.json").read_text())["verdict"] == "warning"
    assert result.checked is not None
    locked = {package.sha256 for lock in result.lock.platforms for package in lock.packages}
    assert {item.sha256 for item in result.checked.archives if item.files} == locked
    assert Release.open(result.folder) == result
    kinds = {path.stem.partition("-")[0] for path in (result.folder / ".stages").glob("*.json")}
    assert kinds == set(STAGES) - {"build", "delta"}, "it has no recipes, and no base"
    assert LockFile.from_path(result.folder / "lock" / "pixi.lock").default_environment() is not None


def test_closure_differs_where_the_markers_say_so(
    tiny: tuple[Distribution, Release], host_platform: str
) -> None:
    by_platform = tiny[1].lock.by_platform
    assert "colorama" in by_platform["win-64"].by_name
    assert "colorama" not in by_platform[host_platform].by_name
    assert by_platform["win-64"].by_name["attrs"].sha256 == by_platform[host_platform].by_name["attrs"].sha256


def test_suites_ran_in_what_the_installer_made(
    tiny: tuple[Distribution, Release], host_platform: str
) -> None:
    runs = {run.platform: run for run in tiny[1].runs}
    outcomes = {outcome.test: outcome.state for outcome in runs[host_platform].outcomes}
    assert {outcomes[test] for test in ("install", "verify", "check")} == {OutcomeState.PASS}
    assert outcomes["import:tqdm"] is OutcomeState.PASS
    assert {outcome.state for outcome in runs["win-64"].outcomes} == {OutcomeState.NOT_RUN}
    assert runs["win-64"].not_run


def test_installs_into_a_path_with_a_space_and_an_accent(
    tiny: tuple[Distribution, Release], tmp_path: Path
) -> None:
    prefix = tmp_path / "Île de la cuvée" / "tiny"
    installer = sh_installer(tiny[1])
    done = process.run(process.Request(argv=("sh", str(installer), "-b", "-p", str(prefix))))
    assert done.ok, done.stderr
    code = "import tqdm, attrs, ssl, sqlite3; print(tqdm.__file__)"
    ran = process.run(process.Request(argv=(str(prefix / "bin" / "python"), "-I", "-c", code)))
    assert ran.stdout.startswith(str(prefix)), ran.stderr
    records = [PrefixRecord.from_path(path) for path in (prefix / "conda-meta").glob("*-*.json")]
    assert {record.name.normalized for record in records} >= {"python", "tqdm", "attrs", "zstandard"}


def test_a_flipped_byte_is_refused_before_anything_is_written(
    tiny: tuple[Distribution, Release], tmp_path: Path
) -> None:
    data = bytearray(sh_installer(tiny[1]).read_bytes())
    data[len(data) * 3 // 4] ^= 1
    damaged = tmp_path / "damaged.sh"
    damaged.write_bytes(data)
    folder = tmp_path / "there"
    folder.mkdir()
    done = process.run(process.Request(argv=("sh", str(damaged), "-b", "-p", str(folder / "prefix"))))
    assert done.exit_code == 5
    assert not list(folder.iterdir())


def test_a_second_run_does_nothing(copied: Callable[[], Distribution], tiny_text: str) -> None:
    distribution = copied()
    first = {path: path.stat().st_mtime_ns for path in (distribution.dist / "tiny-2026.11.0").rglob("*.sh")}
    result = distribution.cut(distribution.write(tiny_text))
    assert all(stage.reused for stage in result.stages)
    assert {path: path.stat().st_mtime_ns for path in first} == first


def test_a_lost_installer_alone_is_made_again_with_the_same_bytes(
    copied: Callable[[], Distribution], tiny_text: str, host_platform: str, tiny: tuple[Distribution, Release]
) -> None:
    distribution = copied()
    installer = distribution.dist / "tiny-2026.11.0" / sh_installer(tiny[1]).relative_to(tiny[1].folder)
    installer.unlink()
    result = distribution.cut(distribution.write(tiny_text))
    assert sha256_file(installer) == sha256_file(sh_installer(tiny[1]))
    assert {stage.stage for stage in result.stages if not stage.reused} == {f"installer-{host_platform}-sh"}


def test_a_patch_release_changes_what_it_states(copied: Callable[[], Distribution]) -> None:
    distribution = copied()
    path = distribution.write(
        'manifest: 1\ndistribution: tiny\nversion: "2026.11.1"\nbased-on: "2026.11.0"\n'
        'packages: {tqdm: "==4.70.1"}\n',
        "2026.11.1",
    )
    result = distribution.cut(path)
    changes = result.changes
    assert changes is not None
    assert [(change.package, change.before, change.after) for change in changes] == [
        ("tqdm", "4.70.0", "4.70.1")
    ]


def test_the_same_release_from_a_channel_over_http(
    tiny: tuple[Distribution, Release], tmp_path: Path, tiny_text: str, host_platform: str
) -> None:
    first = tiny[1]
    distribution = Distribution(tmp_path / "http", Recorder())
    with serving(first.folder / "channel") as url:
        text = tiny_text.replace("interpreter: host\n", f"channels: [{url}]\n")
        text = text.replace("wheels: [tqdm, attrs]\n", "").replace(
            "exclude-newer: 2026-11-20T00:00:00Z\n", ""
        )
        result = distribution.cut(distribution.write(text), host_platform)
        packages = result.lock.by_platform[host_platform].packages
    assert [(package.name, package.sha256) for package in packages] == [
        (package.name, package.sha256) for package in first.lock.by_platform[host_platform].packages
    ]
    assert {package.url.startswith(url) for package in packages} == {True}
    assert next(run for run in result.runs if run.platform == host_platform).not_run is None


def test_a_missing_system_package_costs_its_installer_alone(
    copied: Callable[[], Distribution], tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution = copied()
    text = tiny_text.replace("formats: {linux: [sh]}", "formats: {linux: [sh], win: [exe]}")
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    result = distribution.cut(distribution.write(text))
    (missing,) = [item for item in result.artefacts if item.not_made is not None]
    assert missing.name == "Tiny-2026.11.0-Windows-x86_64.exe"
    assert missing.not_made is not None
    assert "nsis" in missing.not_made.remedy
    assert any(item.name.endswith(".sh") and item.not_made is None for item in result.artefacts)
    assert not result.verdict.exit_code


def test_a_release_without_installers_has_no_decoder_and_no_image(
    copied: Callable[[], Distribution], tiny_text: str
) -> None:
    distribution = copied()
    text = tiny_text.replace("formats: {linux: [sh]}", "formats: {}")
    result = distribution.cut(distribution.write(text))
    assert result.additions == ()
    assert "zstandard" not in {package.name for lock in result.lock.platforms for package in lock.packages}
    assert result.handed_out == ()
    assert {run.not_run for run in result.runs} == {"no installer was made for it"}
    assert not list((distribution.dist / "tiny-2026.11.0" / "installers").glob("*.sh"))


def test_a_pin_that_the_index_lacks_names_the_line(
    tmp_path: Path, tiny_text: str, host_platform: str
) -> None:
    distribution = Distribution(tmp_path / "wrong", Recorder())
    path = distribution.write(tiny_text.replace("==4.70.0", "==4.70.99"))
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "4.70.99" in text)
    with pytest.raises(BlockedError) as caught:
        distribution.cut(path, host_platform)
    assert f"2026.11.0.yaml:{line}" in caught.value.message
    assert "4.70.1" in caught.value.message


def test_installers_do_not_stay_beside_findings_that_block(
    copied: Callable[[], Distribution], tiny_text: str
) -> None:
    distribution = copied()
    ready = distribution.cut(distribution.write(tiny_text))
    installer, sums = sh_installer(ready), ready.folder / "SHA256SUMS"
    before = {path: sha256_file(path) for path in (installer, sums)}
    denied = distribution.cut(distribution.write(f"{tiny_text}policy: {{licenses: {{deny: [MIT]}}}}\n"))
    assert (denied.verdict, Release.open(denied.folder).verdict) == (Verdict.BLOCKED, Verdict.BLOCKED)
    assert not [path for path in before if path.exists()]
    assert (denied.folder / "set-aside" / installer.relative_to(ready.folder)).exists()
    distribution.cut(distribution.write(tiny_text))
    assert sha256_file(installer) == before[installer]
    assert f"{before[installer]}  {installer.relative_to(ready.folder)}\n" in sums.read_text()
    assert f"installers of {installer.name}" not in distribution.recorder.lines


def test_a_package_that_was_tampered_with_is_refused_and_made_again(
    copied: Callable[[], Distribution], tiny_text: str, tiny: tuple[Distribution, Release]
) -> None:
    """A run recognises packages by their hashes, so it makes the channel again before anything reads it."""
    distribution = copied()
    folder = distribution.dist / "tiny-2026.11.0"
    archive = next((folder / "channel" / "noarch").glob("attrs-*.conda"))
    record = archive.stat()
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.unlink()  # it may be a hard link into the cache
    archive.write_bytes(data)
    os.utime(archive, ns=(record.st_atime_ns, record.st_mtime_ns))
    (folder / ".stages" / "image-win-64.json").unlink()
    path = distribution.write(tiny_text)
    with pytest.raises(IntegrityError, match="attrs"):
        distribution.session(path).archives(tiny[1].lock.by_platform["win-64"])
    distribution.cut(path)
    data[len(data) // 2] ^= 1
    assert archive.read_bytes() == data


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass
