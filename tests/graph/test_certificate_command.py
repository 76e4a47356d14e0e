"""``cuvee certify``: write the proof, and check it again from the file alone."""

import json
from pathlib import Path

import pytest

import tiny_index
from cuvee.cli.main import run
from cuvee.files import sha256_bytes, sha256_file


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    return ["--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache"), "-q"]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    lines = ["python 3.11: __glibc >=2.17", "tqdm 4: python >=3.8; colorama ! python <4", "colorama 0.4"]
    channel = tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, lines))
    return tiny_index.write_manifest(tmp_path / "manifests", channel, 'python: "3.11"\ntqdm: "*"')


@pytest.fixture
def certificate(manifest: Path, options: list[str], tmp_path: Path) -> Path:
    assert run(["certify", str(manifest), *options]) == 0
    return tmp_path / "dist" / "tiny-2026.11.0" / "checks" / "certificate.json"


def test_it_writes_a_proof_that_holds(
    certificate: Path, manifest: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = certificate.parent.parent
    assert run(["certify", str(manifest), *options]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "tiny-2026.11.0: the certificate holds, and is about the lock"
    assert "linux-64: 3 packages fit together" in out
    value = json.loads(certificate.read_bytes())
    assert value["inputs"]["manifests"] == {"2026.11.0.yaml": sha256_file(manifest)}
    assert value["inputs"]["lock"] == sha256_file(folder / "lock" / "pixi.lock")
    channel = value["channels"][0]
    noarch = Path(channel) / "noarch" / "repodata.json"
    assert value["inputs"]["repodata"][f"{channel}/noarch"] == sha256_file(noarch)
    assert run(["certify", "--verify", str(certificate), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["packages"] == {"linux-64": 3}
    assert shown["with_lock"]


def test_the_check_stage_writes_the_same(certificate: Path, manifest: Path, options: list[str]) -> None:
    before = certificate.read_bytes()
    certificate.unlink()
    assert run(["check", str(manifest), "--refresh", *options]) == 1, "the archives are not there"
    assert certificate.read_bytes() == before


def test_a_release_folder_will_do(
    certificate: Path, tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = certificate.parent.parent
    assert run(["certify", str(folder), *options[2:]]) == 0
    assert run(["certify", "--verify", str(folder)]) == 0
    capsys.readouterr()
    nowhere = tmp_path / "lost-1"
    nowhere.mkdir()
    assert run(["certify", str(nowhere)]) == 2
    assert "The manifest of lost-1 is not in a folder manifests/" in capsys.readouterr().err
    assert run(["certify", "--verify", str(nowhere)]) == 2
    assert "There is no certificate" in capsys.readouterr().err


def test_a_changed_lock_is_noticed(certificate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lock = certificate.parent.parent / "lock" / "pixi.lock"
    lock.write_text(lock.read_text().replace("colorama-0.4", "colorama-0.5"))
    assert run(["certify", "--verify", str(certificate)]) == 5
    assert "it is about another lock" in capsys.readouterr().err
    alone = certificate.parent.parent.parent / "alone.json"
    alone.write_bytes(certificate.read_bytes())
    assert run(["certify", "--verify", str(alone)]) == 0
    assert "but no lock was there to hold it against" in capsys.readouterr().out
    assert run(["certify", "--verify", str(alone), "--lock", str(lock)]) == 5


def test_what_it_was_made_from_is_compared(
    certificate: Path, manifest: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["certify", "--verify", str(certificate)]) == 0
    lines = capsys.readouterr().out.splitlines()
    channel = json.loads(certificate.read_bytes())["channels"][0]
    assert "  unchanged: the lock, the manifest 2026.11.0.yaml, the repodata of " in "\n".join(lines)
    assert not [line for line in lines if "not compared:" in line]
    repodata = Path(channel) / "noarch" / "repodata.json"
    before = repodata.read_text()
    repodata.write_text(before.replace("python >=3.8", "python >=3.12"))
    assert run(["certify", "--verify", str(certificate)]) == 5
    said = capsys.readouterr().err
    assert (
        f"it was made from another state of the repodata of {channel}/noarch: {repodata} has SHA-256" in said
    )
    assert "  unchanged: the lock, the manifest 2026.11.0.yaml" in said
    assert run(["certify", str(manifest), *options]) == 1
    assert "by the present record of tqdm-4-0 it depends on python >=3.12" in capsys.readouterr().out
    repodata.write_text(before)
    assert run(["certify", str(manifest), *options]) == 0
    manifest.write_text(manifest.read_text() + "# changed\n")
    assert run(["certify", "--verify", str(certificate)]) == 5
    assert "it was made from another state of the manifest 2026.11.0.yaml" in capsys.readouterr().err


def test_what_is_not_there_is_not_compared(
    certificate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    far = tmp_path / "far" / "away"
    far.mkdir(parents=True)
    (far / "certificate.json").write_bytes(certificate.read_bytes())
    (tmp_path / "channel").rename(tmp_path / "moved")
    (tmp_path / "manifests").rename(tmp_path / "others")
    monkeypatch.chdir(far)
    capsys.readouterr()
    assert run(["certify", "--verify", "certificate.json", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {item["state"] for item in shown["inputs"]} == {"not compared"}
    assert run(["certify", "--verify", "certificate.json"]) == 0
    assert "  not compared: the lock; no lock was named or found" in capsys.readouterr().out


def test_a_platform_that_is_not_certified_counts(
    certificate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = json.loads(certificate.read_bytes()) | {"sha256": "0" * 64}
    value["not_certified"], value["platforms"] = {"linux-64": ["a-1-0 depends on 'b'"]}, {}
    blank = json.dumps(value).encode()
    certificate.write_bytes(blank.replace(b"0" * 64, sha256_bytes(blank).encode(), 1))
    capsys.readouterr()
    assert run(["certify", "--verify", str(certificate)]) == 1
    assert capsys.readouterr().out.splitlines()[1:3] == [
        "  linux-64: not certified",
        "    a-1-0 depends on 'b'",
    ]


def test_a_lock_is_for_verifying_only(manifest: Path, options: list[str]) -> None:
    assert run(["certify", str(manifest), "--lock", "pixi.lock", *options]) == 2
