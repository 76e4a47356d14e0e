"""Only what was cut is signed, and only if it is ready: here, and on another machine."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_public_key,
)

from checked_sets import manifest_of
from cuvee.cli.main import run
from cuvee.errors import IntegrityError
from cuvee.files import sha256_file, write_text
from cuvee.graph.findings import Verdict
from cuvee.history.history_file import HISTORY
from cuvee.progress import SILENT
from cuvee.release import test_stage
from cuvee.release.cutting import cut
from cuvee.release.record import Failure, Release
from cuvee.release.session import Options, Session
from cuvee.release.stage import Made, Stage, StageRunner
from cuvee.release.sums import FORCED, read_sums, sums_text
from cuvee.release.test_stage import hidden_from_tests
from cuvee.trust.keys import SigningKey
from tiny_distribution import NOW, Distribution, write_key

HASH = "a" * 64


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return write_key(tmp_path)


def verified(folder: Path) -> dict[str, str]:
    """Check the signature as a stranger would; return what is signed."""
    public = load_pem_public_key((folder / "signing-key.pem").read_bytes())
    assert isinstance(public, Ed25519PublicKey)
    public.verify((folder / "SHA256SUMS.sig").read_bytes(), (folder / "SHA256SUMS").read_bytes())
    return read_sums(folder)


@pytest.mark.parametrize(
    "text",
    [
        f"{HASH}  ../outside\n",
        f"{HASH}  /etc/passwd\n",
        f"{HASH} a\n",
        f"{HASH}  a",
        f"{HASH}  b\n{HASH}  a\n",
        f"{HASH}  a\n{HASH}  a\n",
        "nonsense",
    ],
)
def test_sums_that_cuvee_does_not_write_are_refused(tmp_path: Path, text: str) -> None:
    write_text(tmp_path / "SHA256SUMS", text)
    with pytest.raises(IntegrityError):
        read_sums(tmp_path)


def test_sums_are_sorted_and_read_back(tmp_path: Path) -> None:
    files = {"b/c d.txt": HASH, "a": "b" * 64}
    write_text(tmp_path / "SHA256SUMS", sums_text(files))
    assert (tmp_path / "SHA256SUMS").read_text() == f"{'b' * 64}  a\n{HASH}  b/c d.txt\n"
    assert read_sums(tmp_path) == files


def test_programs_of_packages_see_neither_keys_nor_release_nor_history(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUVEE_AUTHENTICODE_KEY", str(tmp_path / "code.pem"))
    options = Options(dist=tmp_path / "dist", cache=tmp_path / "cache", now=NOW, secrets=(key,))
    session = Session(manifest_of(), options, SILENT)
    assert set(hidden_from_tests(session)) == {
        tmp_path / "dist" / session.manifest.release_name,
        tmp_path / HISTORY,
        key,
        tmp_path / "code.pem",
    }


def test_a_file_that_changes_after_its_stage_is_found(tmp_path: Path) -> None:
    runner = StageRunner(folder=tmp_path, reporter=SILENT)

    def work() -> Made[None]:
        for name in ("one", "two", "three"):
            write_text(tmp_path / name, name)
        return Made(result=None, outputs=tuple(tmp_path / name for name in ("one", "two", "three")))

    stage = Stage(name="s", inputs=1, run=work, load=lambda _: None)
    runner(stage)
    assert runner.changed() == []
    (tmp_path / "one").write_text("eno")  # of the same size
    (tmp_path / "three").unlink()
    # Whoever changes a file can change what the disk says of it.
    record = tmp_path / ".stages" / "s.json"
    record.write_text(record.read_text().replace(runner.made["one"], sha256_file(tmp_path / "one")))
    assert runner.changed() == ["one", "three"]
    again = StageRunner(folder=tmp_path, reporter=SILENT)
    again(stage)
    assert again.changed() == []


@pytest.fixture
def release(tiny: tuple[Distribution, Release], tmp_path: Path) -> Path:
    """A copy of a finished release: what is taken to a machine that signs."""
    target = tmp_path / "elsewhere" / tiny[1].folder.name
    shutil.copytree(tiny[1].folder, target, ignore=shutil.ignore_patterns(".stages"))
    return target


@pytest.mark.real
def test_a_release_is_signed_on_another_machine(
    release: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sums = sha256_file(release / "SHA256SUMS")
    assert run(["sign", str(release), "--sign-key", str(key)]) == 0
    assert sums in capsys.readouterr().out
    signed = verified(release)
    assert {"release.json", "checks/findings.json", "report/index.html", "lock/pixi.lock"} <= signed.keys()
    folders = {path.partition("/")[0] for path in signed}
    assert folders == {
        *(
            "channel",
            "checks",
            "installers",
            "lock",
            "metapackages",
            "release.json",
            "report",
            "results",
            "sbom",
            "trust",
        ),
        "images",  # of Windows, for which no installer is made, so that the image is handed out
    }
    for name, sha256 in signed.items():
        assert sha256_file(release / name) == sha256
    first = (release / "SHA256SUMS.sig").read_bytes()
    assert run(["sign", str(release), "--sign-key", str(key), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sums_sha256"] == sums
    assert (release / "SHA256SUMS.sig").read_bytes() == first


@pytest.mark.real
@pytest.mark.parametrize("attack", ["installer", "lock", "sbom", "report", "missing", "record", "sums"])
def test_what_is_not_as_it_was_cut_is_not_signed(
    attack: str, release: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patterns = {
        "installer": "installers/*.sh",
        "lock": "lock/pixi.lock",
        "sbom": "sbom/*",
        "report": "report/index.html",
    }
    if attack in patterns:
        changed = next(release.glob(patterns[attack]))
        data = bytearray(changed.read_bytes())
        data[len(data) // 2] ^= 1  # of the same size
        changed.write_bytes(data)
    elif attack == "missing":
        next(release.glob("results/*/outcomes.json")).unlink()
    elif attack == "record":  # another verdict would be found by itself; so would another artefact's hash
        path = release / "release.json"
        path.write_text(path.read_text().replace("core@example.org", "evil@example.org"))
    else:
        sums = read_sums(release)
        path = next(release.glob("installers/*.sh"))
        path.write_bytes(path.read_bytes() + b"evil")
        sums[path.relative_to(release).as_posix()] = sha256_file(path)
        write_text(release / "SHA256SUMS", sums_text(sums))
    assert run(["sign", str(release), "--sign-key", str(key)]) == 5
    assert "is not what was cut" in capsys.readouterr().err
    assert not (release / "SHA256SUMS.sig").exists()


@pytest.mark.real
def test_what_is_not_ready_is_signed_only_with_a_reason(
    release: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = replace(Release.open(release), failure=Failure(message="no network"), verdict=Verdict.BLOCKED)
    failed.save()
    sums = read_sums(release) | {"release.json": sha256_file(release / "release.json")}
    write_text(release / "SHA256SUMS", sums_text(sums))
    argv = ["sign", str(release), "--sign-key", str(key)]
    assert run(argv) == 1
    assert "is not ready, so it is not signed" in capsys.readouterr().err
    assert not (release / "SHA256SUMS.sig").exists()
    assert run([*argv, "--force", " "]) == 1
    assert run([*argv, "--force", "asked for by the lab"]) == 0
    signed = verified(release)
    assert signed == sums | {FORCED: sha256_file(release / FORCED)}
    kept = json.loads((release / FORCED).read_text())
    assert kept == {"reason": "asked for by the lab", "release": "tiny-2026.11.0", "verdict": "blocked"}
    assert run(argv) == 1, "the reason is needed each time"


@pytest.mark.real
def test_without_a_key_or_a_release_nothing_is_written(release: Path, key: Path, tmp_path: Path) -> None:
    before = sorted(release.rglob("*"))
    assert run(["sign", str(release)]) == 2
    assert run(["sign", str(tmp_path), "--sign-key", str(key)]) == 2
    key.chmod(0o644)
    assert run(["sign", str(release), "--sign-key", str(key)]) == 2
    assert sorted(release.rglob("*")) == before


@pytest.mark.real
@pytest.mark.parametrize("target", ["lock/pixi.lock", "sbom/{}.cdx.json", "installers/*.sh"])
def test_a_program_of_a_package_that_changes_the_release_stops_the_signature(
    copied: Callable[[], Distribution],
    host_platform: str,
    key: Path,
    target: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the host keeps nothing away from it: files are compared with what this process has kept."""
    distribution = copied()
    (path,) = distribution.root.glob("manifests/tiny/*.yaml")
    folder = distribution.dist / "tiny-2026.11.0"
    run_tests = test_stage.make_tests

    def attacked(*arguments: object, **options: object) -> object:
        result = run_tests(*arguments, **options)  # type: ignore[arg-type]
        changed = next(folder.glob(target.format(host_platform)))
        with changed.open("ab") as stream:
            stream.write(b"\n")
        return result

    monkeypatch.setattr("cuvee.release.platform_stages.make_tests", attacked)
    session = distribution.session(path, host_platform, signer=SigningKey.read(key))
    with session.workspace.locked(), pytest.raises(IntegrityError, match="have changed since they were made"):
        cut(session)
    assert not (folder / "SHA256SUMS.sig").exists()
    assert Release.open(folder).exit_code == 5
