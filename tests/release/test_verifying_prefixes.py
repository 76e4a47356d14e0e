"""From a root to each file of an installed release: what is verified, and what a prefix cannot hide."""

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from approved_release import ONLINE
from cuvee import process
from cuvee.cli.main import run
from cuvee.files import sha256_file
from cuvee.progress import SILENT
from cuvee.release.published_site import SiteSigning, publish_site
from cuvee.release.record import Release
from cuvee.runtime.prefix_state import KEPT, STATE
from cuvee.trust.chain_links import ChainVerdict, LinkState
from cuvee.trust.chain_subjects import TrustAnchor
from cuvee.trust.subject_reader import verify_subject
from cuvee.trust.trust_folder import complete
from needed_programs import HANGING
from signed_sites import KEYS, NOW, SIGNERS, new_trust
from tiny_distribution import Distribution

pytestmark = pytest.mark.real
NOTES = (STATE, f"{KEPT}/release.json", f"{KEPT}/manifest.json.zst")


@pytest.fixture(scope="module")
def site(tiny: tuple[Distribution, Release], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed site with the tiny release."""
    folder = tmp_path_factory.mktemp("site") / "site"
    roots, targets = complete(new_trust())
    signers = {KEYS[name].keyid: SIGNERS[name] for name in ONLINE}
    signing = SiteSigning(roots=roots, targets=targets, signers=signers)
    publish_site([tiny[1].folder], folder, SILENT, now=NOW, signing=signing)
    return folder


def installed_in(release: Release, prefix: Path) -> Path:
    installer = next((release.folder / "installers").glob("*.sh"))
    argv = ("sh", str(installer), "-b", "-p", str(prefix))
    process.run(process.Request(argv=argv, timeout=HANGING))
    return prefix


@pytest.fixture(scope="module")
def whole(tiny: tuple[Distribution, Release], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed_in(tiny[1], tmp_path_factory.mktemp("prefix") / "tiny")


@pytest.fixture
def prefix(whole: Path, tmp_path: Path) -> Iterator[Path]:
    """The prefix; what tests change in it is put back."""
    changed = [some_module(whole), with_prefix(whole), whole / "bin" / "tiny-admin"]
    changed += [whole / name for name in (*NOTES, f"{KEPT}/runtime/verify.py")]
    kept = [Path(shutil.copy2(path, tmp_path / f"kept{number}")) for number, path in enumerate(changed)]
    yield whole
    for path, copy in zip(changed, kept, strict=True):
        shutil.copy2(copy, path)
    (whole / "bin" / "evil").unlink(missing_ok=True)


def bundle_of(site: Path) -> Path:
    return next(site.glob("releases/stable/*/trust/bundle.zip"))


def verified(prefix: Path, given: Path | None) -> ChainVerdict:
    return verify_subject(prefix, TrustAnchor(root=new_trust()["1.root.json"], now=NOW), given)


def problem(prefix: Path, site: Path) -> str:
    verdict = verified(prefix, bundle_of(site))
    assert verdict.first is not None, "the chain holds"
    assert verdict.first.name == "installed files"
    return verdict.first.text


def test_a_prefix_is_traced_to_the_root_by_its_bundle_or_its_site(whole: Path, site: Path) -> None:
    for given in (bundle_of(site), site):
        verdict = verified(whole, given)
        assert (verdict.kind, verdict.state, verdict.problems) == ("prefix", LinkState.HOLDS, ())
    texts = {link.name: link.text for link in verdict.links}
    assert texts["image"].startswith("the list of files for linux-")
    # All that has the prefix in it is traced, and what the installer writes by itself.
    state = json.loads((whole / STATE).read_bytes())
    assert state["late"], "no file of this release has the prefix in it, so this test shows nothing"
    assert "noted files" not in texts


def test_without_a_bundle_the_files_are_compared_and_it_does_not_pass(whole: Path) -> None:
    verdict = verified(whole, None)
    assert verdict.state is LinkState.OPEN
    assert verdict.first is not None
    assert verdict.first.name == "root"
    held = [link.name for link in verdict.links if link.state is LinkState.HOLDS]
    assert held == ["prefix", "installed files"]


def tamper(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def some_module(prefix: Path) -> Path:
    return next(prefix.glob("lib/python3*/site-packages/tqdm/std.py"))


def with_prefix(prefix: Path) -> Path:
    state = json.loads((prefix / STATE).read_bytes())
    return prefix / str(next(path for path in state["late"] if not path.endswith(".json")))


def test_one_byte_in_an_installed_file(prefix: Path, site: Path) -> None:
    path = some_module(prefix)
    tamper(path)
    assert problem(prefix, site) == f"{path.relative_to(prefix)} is not as it was signed"


def test_a_file_that_is_missing(prefix: Path, site: Path) -> None:
    some_module(prefix).unlink()
    assert problem(prefix, site).endswith("tqdm/std.py is missing")


def test_a_file_that_is_more(prefix: Path, site: Path) -> None:
    (prefix / "bin" / "evil").write_text("#!/bin/sh\n")
    assert problem(prefix, site) == "bin/evil is there, and belongs to nothing"


@pytest.mark.parametrize("field", ["late", "own"])
def test_a_prefix_that_notes_another_hash_for_a_file(prefix: Path, site: Path, field: str) -> None:
    """The prefix's own state can be written by whoever can write the prefix; `verify` of it is content."""
    path = some_module(prefix)
    tamper(path)
    name = path.relative_to(prefix).as_posix()
    state = json.loads((prefix / STATE).read_bytes())
    size, sha256 = path.stat().st_size, sha256_file(path)
    state[field][name] = [sha256, size] if field == "late" else [path.stat().st_mode & 0o777, sha256, size]
    (prefix / STATE).write_text(json.dumps(state))
    admin = next((prefix / "bin").glob("tiny-admin"))
    process.run(process.Request(argv=(str(admin), "verify"), timeout=HANGING))
    assert f"{name}: the prefix notes another hash for it than the release has" in problem(prefix, site)


def test_a_file_with_the_prefix_in_it_that_was_changed_with_its_note(prefix: Path, site: Path) -> None:
    path = with_prefix(prefix)
    tamper(path)
    state = json.loads((prefix / STATE).read_bytes())
    name = path.relative_to(prefix).as_posix()
    state["late"][name] = [sha256_file(path), path.stat().st_size]
    (prefix / STATE).write_text(json.dumps(state))
    found = verified(prefix, bundle_of(site)).first
    assert found is not None
    assert (found.name, found.state) == ("files with the prefix", LinkState.OPEN)
    assert found.text.startswith(
        f"1 file has the prefix in it, and is not what was signed without it: {name}"
    )


@pytest.mark.parametrize("name", [f"{KEPT}/runtime/verify.py", "bin/tiny-admin"])
def test_the_runtime_of_a_prefix_that_was_changed_with_its_note(prefix: Path, site: Path, name: str) -> None:
    """What would say of itself that all is good."""
    path = prefix / name
    mode = path.stat().st_mode & 0o777
    path.write_text(path.read_text() + "# evil\n")
    state = json.loads((prefix / STATE).read_bytes())
    state["own"][name] = [mode, sha256_file(path), path.stat().st_size]
    (prefix / STATE).write_text(json.dumps(state))
    assert problem(prefix, site).startswith(f"{name}: the prefix notes the SHA-256")


def test_another_list_of_files_than_the_approved_one(
    prefix: Path, site: Path, tiny: tuple[Distribution, Release]
) -> None:
    import zstandard

    path = prefix / KEPT / "manifest.json.zst"
    value = json.loads(zstandard.decompress(path.read_bytes()))
    data = zstandard.ZstdCompressor(write_content_size=True).compress(json.dumps(value).encode())
    path.write_bytes(data)
    marker = prefix / KEPT / "release.json"
    text = json.loads(marker.read_text())
    text["manifest_sha256"] = sha256_file(path)
    marker.write_text(json.dumps(text))
    state = json.loads((prefix / STATE).read_bytes())
    state["manifest_raw"] = len(json.dumps(value).encode())
    (prefix / STATE).write_text(json.dumps(state))
    verdict = verified(prefix, bundle_of(site))
    assert verdict.first is not None
    assert verdict.first.name == "image"
    assert "The list of files in the prefix has the SHA-256" in verdict.first.text


def test_the_command_needs_no_network(
    whole: Path, site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "root.json"
    root.write_bytes(new_trust()["1.root.json"])
    argv = ["verify", str(whole), "--root", str(root), "--bundle", str(bundle_of(site)), "--at", "2026-11-30"]
    assert run([*argv, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "prefix"
    if shutil.which("unshare") is None:
        pytest.fail("unshare is in util-linux")
    alone = ("unshare", "--user", "--map-root-user", "--net", sys.executable, "-m", "cuvee", *argv)
    done = process.run(process.Request(argv=alone, timeout=HANGING))
    assert "installed files holds" in done.stdout
