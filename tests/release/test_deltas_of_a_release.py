"""Deltas that a release makes: listed, signed, published, and taken by `upgrade --from`."""

import datetime as dt
import json
import os
import shutil
from pathlib import Path

import pytest

from approved_release import ONLINE
from cuvee import process
from cuvee.approvals.sums_file import read_sums
from cuvee.progress import SILENT
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.published_site import SiteSigning, publish_site
from cuvee.release.record import Release
from cuvee.release.test_stage import installer_to_test
from cuvee.report.users_page import users_page
from cuvee.trust.chain_subjects import TrustAnchor
from cuvee.trust.subject_reader import verify_subject
from cuvee.trust.trust_folder import complete
from needed_programs import HANGING
from signed_sites import KEYS, SIGNERS, new_trust
from tiny_distribution import Distribution, Recorder

pytestmark = pytest.mark.real

PATCH = """\
manifest: 1
distribution: tiny
version: "2026.11.1"
based-on: "2026.11.0"
packages: {tqdm: "==4.70.1"}
installers: {deltas: base}
"""


@pytest.fixture(scope="module")
def distribution(
    tiny: tuple[Distribution, Release], tmp_path_factory: pytest.TempPathFactory
) -> Distribution:
    root = tmp_path_factory.mktemp("deltas") / "tiny"
    shutil.copytree(tiny[0].root, root, symlinks=True)
    return Distribution(root, Recorder())


@pytest.fixture(scope="module")
def newer(distribution: Distribution, host_platform: str) -> Release:
    return distribution.cut(distribution.write(PATCH, "2026.11.1"), host_platform)


@pytest.fixture(scope="module")
def site(distribution: Distribution, newer: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    trust = new_trust()
    roots, targets = complete(trust)
    signing = SiteSigning(
        roots=roots, targets=targets, signers={KEYS[name].keyid: SIGNERS[name] for name in ONLINE}
    )
    folders = [distribution.dist / "tiny-2026.11.0", newer.folder]
    now = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=1)
    publish_site(folders, folder, SILENT, now=now, signing=signing)
    (folder.parent / "root.json").write_bytes(trust["1.root.json"])
    return folder


def deltas_of(release: Release) -> list[Artefact]:
    return [item for item in release.artefacts if item.kind is ArtefactKind.DELTA]


def test_it_is_listed_where_the_installers_are(
    distribution: Distribution, newer: Release, host_platform: str
) -> None:
    (made,) = deltas_of(newer)
    assert made.path.startswith("installers/Tiny-2026.11.0-to-2026.11.1-Linux-")
    assert (made.format, made.platform, made.not_made) == ("sh", host_platform, None)
    assert made.size * 10 < next(item.size for item in newer.artefacts if item.format == "sh")
    assert read_sums(newer.folder)[made.path] == made.sha256
    (installer,) = [item for item in newer.artefacts if item.kind is ArtefactKind.INSTALLER]
    assert installer_to_test([made, installer]) == (installer, "")
    page = users_page(newer, "https://example.org/channel")
    assert (installer.name in page, made.name in page) == (True, False)
    statement = json.loads((newer.folder / f"trust/provenance/{host_platform}.intoto.json").read_bytes())
    subjects = {item["name"]: item["digest"]["sha256"] for item in statement["subject"]}
    assert subjects[made.path] == made.sha256
    assert deltas_of(
        distribution.cut(distribution.root / "manifests/tiny/2026.11.1.yaml", host_platform)
    ) == [made]
    assert f"delta-{host_platform}" in distribution.recorder.unchanged


def test_it_is_published_and_verified_like_an_installer(site: Path, newer: Release) -> None:
    (made,) = deltas_of(newer)
    index = json.loads((site / "releases/stable/index.json").read_bytes())
    (old, new) = index["releases"]
    assert old["deltas"] == []
    assert [(item["path"], item["base"], item["sha256"]) for item in new["deltas"]] == [
        (made.path, "2026.11.0", made.sha256)
    ]
    anchor = TrustAnchor(root=(site.parent / "root.json").read_bytes(), now=dt.datetime.now(dt.UTC))
    folder = site / "releases/stable/tiny-2026.11.1"
    bundle = folder / "trust" / "bundle.zip"
    for given in (None, bundle):
        verdict = verify_subject(folder / made.path, anchor, given)
        assert (verdict.kind, verdict.problems) == ("installer", ())
    bad = site.parent / Path(made.path).name
    bad.write_bytes((folder / made.path).read_bytes() + b"x")
    first = verify_subject(bad, anchor, bundle).first
    assert first is not None
    assert "which tiny-2026.11.1 does not name" in first.text or "bytes" in first.text


def test_an_upgrade_from_the_site_takes_it_if_it_fits(
    site: Path, distribution: Distribution, newer: Release, tmp_path: Path
) -> None:
    (made,) = deltas_of(newer)
    name = Path(made.path).name
    prefix, state = tmp_path / "prefix", tmp_path / "state"
    installer = next((distribution.dist / "tiny-2026.11.0" / "installers").glob("*.sh"))
    assert run(tmp_path, "sh", installer, "-b", "-p", prefix).ok
    admin = prefix / "bin" / "tiny-admin"
    root = f"--root={site.parent / 'root.json'}"

    changed = next(prefix.rglob("attrs/__init__.py"))
    content = changed.read_bytes()
    changed.write_bytes(content + b"# mine")
    done = run(tmp_path, admin, "upgrade", "--from", site, root)
    assert done.ok, done
    assert f"{name} is not used. 1 files that this delta builds on were changed" in done.stdout
    assert "The whole installer is fetched instead." in done.stdout
    assert version(prefix) == "2026.11.1"
    assert run(tmp_path, admin, "rollback").ok
    changed.write_bytes(content)

    done = run(tmp_path, admin, "upgrade", "--from", site, root)
    assert (done.exit_code, "is not used" in done.stdout) == (0, False), done
    assert version(prefix) == "2026.11.1"
    kept = [path.name for path in (state / "cuvee/sites/tiny/installers").iterdir()]
    assert kept == [name]
    assert json.loads(run(tmp_path, admin, "verify", "--json").stdout)["good"]


def version(prefix: Path) -> str:
    return str(json.loads((prefix / "conda-meta/cuvee/release.json").read_text())["version"])


def run(folder: Path, *argv: str | Path) -> process.Completed:
    environment = {"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder)}
    request = process.Request(argv=tuple(map(str, argv)), environment=environment, timeout=HANGING)
    return process.run(request)


def test_without_the_installer_of_the_base_it_is_said(
    distribution: Distribution, newer: Release, host_platform: str
) -> None:
    base = distribution.dist / "tiny-2026.11.0" / "installers"
    away = base.rename(distribution.root / "away")
    try:
        release = distribution.cut(distribution.root / "manifests/tiny/2026.11.1.yaml", host_platform)
    finally:
        away.rename(base)
    (missing,) = deltas_of(release)
    assert missing.not_made is not None
    assert missing.not_made.only_here, "another host may have the base release"
    assert missing.path == deltas_of(newer)[0].path
    assert missing.not_made.reason.startswith("tiny-2026.11.0/installers/Tiny-2026.11.0-Linux-")
    assert missing.not_made.reason.endswith(".sh is not here")
    assert missing.path not in read_sums(release.folder)
