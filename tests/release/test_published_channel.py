"""Releases as one channel: published twice, in any order, damaged, refused, and used by conda and others."""

import asyncio
import datetime as dt
import functools
import http.server
import json
import os
import re
import shlex
import shutil
import threading
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import rattler
import zstandard

from cuvee import process
from cuvee.approvals.decision_log import LOG
from cuvee.approvals.dsse import Envelope
from cuvee.cli.main import run
from cuvee.errors import BlockedError, BusyError, IntegrityError, StorageError, UsageError
from cuvee.files import locked_file, parse_json, sha256_bytes, sha256_file, write_json
from cuvee.graph.metapackages import exact_spec
from cuvee.progress import SILENT
from cuvee.release.published_attestations import public_text
from cuvee.release.published_site import SiteSigning, publish_site
from cuvee.release.record import Release
from cuvee.report.users_page import users_page
from cuvee.trust.bundle_zip import BUNDLE, bundle_bytes, read_bundle
from cuvee.trust.chain_links import ChainLink
from cuvee.trust.chain_subjects import TrustAnchor
from cuvee.trust.site_client import SiteClient
from cuvee.trust.site_fetch import chosen_release, fetch_installer, releases_of
from cuvee.trust.site_mirror import mirror_site
from cuvee.trust.site_source import site_source
from cuvee.trust.subject_reader import verify_subject
from cuvee.trust.trust_folder import complete
from needed_programs import HANGING, missing
from signed_sites import KEYS, SIGNERS, new_trust
from signed_sites import NOW as SITE_TIME
from tiny_distribution import Distribution, Recorder

pytestmark = pytest.mark.real
ONLINE = ("stable", "site", "snapshot", "timestamp")

PATCH = """\
manifest: 1
distribution: tiny
version: "2026.11.1"
based-on: "2026.11.0"
packages: {tqdm: "==4.70.1"}
"""


@pytest.fixture(scope="module")
def both(
    tiny: tuple[Distribution, Release], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Release, Release]:
    """The tiny release and a point release of it; treat both as read-only."""
    root = tmp_path_factory.mktemp("both") / "tiny"
    shutil.copytree(tiny[0].root, root, symlinks=True)
    distribution = Distribution(root, Recorder())
    path = distribution.write(PATCH, "2026.11.1")
    return Release.open(root / "dist" / "tiny-2026.11.0"), distribution.cut(path)


def publish(site: Path, *releases: Release) -> tuple[str, ...]:
    return publish_site([item.folder for item in releases], site, SILENT, now=SITE_TIME).added


def files_of(site: Path) -> dict[str, bytes]:
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in site.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            # Its 304 lacks the headers by which rattler knows its copy again (RFC 9110, 15.4.5).
            del self.headers["If-Modified-Since"]
            super().do_GET()

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_order_and_repetition_do_not_matter(both: tuple[Release, Release], tmp_path: Path) -> None:
    old, new = both
    first = publish(tmp_path / "one", old)
    second = publish(tmp_path / "one", new)
    assert {name.partition("/")[2].partition("-2026")[0].partition("-4.70")[0] for name in second} == {
        "tiny",
        "tiny-base",
        "tiny-constraints",
        "tqdm",
    }
    publish(tmp_path / "two", new, old)
    one, two = files_of(tmp_path / "one"), files_of(tmp_path / "two")
    for name in one.keys() - two.keys():  # shards stay for readers of the index before
        assert "/shards/" in name
        del one[name]
    assert one.pop(LOG) != two.pop(LOG)  # it says in which order
    assert one == two
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").rglob("*")}
    assert publish(tmp_path / "one", old, new) == ()
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert set(first) < {name.partition("/")[2] for name in files_of(tmp_path / "one")}


def test_the_index_names_every_archive_and_has_a_compressed_twin(
    both: tuple[Release, Release], tmp_path: Path
) -> None:
    publish(tmp_path, *both)
    for folder in (tmp_path / "channel").iterdir():
        data = (folder / "repodata.json").read_bytes()
        assert zstandard.decompress((folder / "repodata.json.zst").read_bytes()) == data
        assert {path.name for path in folder.glob("*.conda")} == parse_json(data)["packages.conda"].keys()
        current = (folder / "current_repodata.json").read_bytes()
        assert zstandard.decompress((folder / "current_repodata.json.zst").read_bytes()) == current
        assert parse_json(current)["packages.conda"].keys() <= parse_json(data)["packages.conda"].keys()
    current = parse_json((tmp_path / "channel" / "noarch" / "current_repodata.json").read_bytes())
    assert [name for name in current["packages.conda"] if name.startswith("tqdm-4.70.0")] == []
    assert [name for name in current["packages.conda"] if name.startswith("tqdm-4.70.1")]


def test_a_damaged_archive_of_the_site_is_made_whole(both: tuple[Release, Release], tmp_path: Path) -> None:
    publish(tmp_path, both[0])
    before = files_of(tmp_path)
    archive = next((tmp_path / "channel" / "noarch").glob("tqdm-*.conda"))
    archive.write_bytes(b"half")
    (archive.parent / ".tqdm.conda.x.part").write_bytes(b"left by a run that was killed")
    assert publish(tmp_path, both[0]) == (f"noarch/{archive.name}",)
    assert files_of(tmp_path) == before


@pytest.fixture
def changed(both: tuple[Release, Release], tmp_path: Path) -> Path:
    """A copy of the first release that a test may change."""
    return Path(shutil.copytree(both[0].folder, tmp_path / "tiny-2026.11.0", symlinks=True))


@pytest.mark.parametrize(
    "name", ["channel/noarch/tqdm-*.conda", "metapackages/*/tiny-2*.conda", "channel/noarch/repodata.json"]
)
@pytest.mark.parametrize("gone", [False, True])
def test_a_file_that_is_not_what_was_cut_changes_nothing(
    changed: Path, tmp_path: Path, name: str, *, gone: bool
) -> None:
    path = next(changed.glob(name))
    if gone:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(IntegrityError, match="is missing, or not what SHA256SUMS says"):
        publish_site([changed], tmp_path / "site", SILENT, now=SITE_TIME)
    assert not list((tmp_path / "site").rglob("repodata.json"))


def test_a_published_package_never_changes(both: tuple[Release, Release], tmp_path: Path) -> None:
    publish(tmp_path, both[0])
    index = tmp_path / "channel" / "noarch" / "repodata.json"
    value = json.loads(index.read_text())
    name = next(name for name in value["packages.conda"] if name.startswith("attrs-"))
    value["packages.conda"][name]["sha256"] = "0" * 64
    write_json(index, value)
    before = files_of(tmp_path)
    with pytest.raises(BlockedError, match=f"noarch/{re.escape(name)} of tiny-2026.11.1 is not the one"):
        publish(tmp_path, both[1])
    assert files_of(tmp_path) == before


@pytest.mark.parametrize("text", ["{", "[]", '{"packages.conda": {"../x.conda": {"sha256": "0"}}}'])
def test_an_index_that_cannot_be_read_is_left_alone(
    both: tuple[Release, Release], tmp_path: Path, text: str
) -> None:
    publish(tmp_path, both[0])
    index = tmp_path / "channel" / "noarch" / "repodata.json"
    index.write_text(text)
    with pytest.raises(IntegrityError, match="is not an index that cuvee writes"):
        publish(tmp_path, both[1])
    assert index.read_text() == text


def test_only_what_is_ready_is_published(changed: Path, tmp_path: Path) -> None:
    record = json.loads((changed / "release.json").read_text())
    record["failure"] = {"message": "no", "hint": "", "exit_code": 4, "stage": ""}
    record["verdict"] = "blocked"
    (changed / "release.json").write_text(json.dumps(record))
    with pytest.raises(BlockedError, match=r"tiny-2026\.11\.0 is blocked: it cannot be published"):
        publish_site([changed], tmp_path / "site", SILENT, now=SITE_TIME)


def test_one_process_at_a_time_publishes(both: tuple[Release, Release], tmp_path: Path) -> None:
    with locked_file(tmp_path / ".lock", folder=tmp_path), pytest.raises(BusyError):
        publish(tmp_path, both[0])


def test_a_disk_that_is_full_leaves_the_old_channel(
    both: tuple[Release, Release], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, both[0])
    before = files_of(tmp_path)
    copied = iter([True, False])

    def copy(source: Path, target: Path) -> None:
        if not next(copied):
            raise OSError(28, "No space left on device")
        Path(target).write_bytes(Path(source).read_bytes())

    monkeypatch.setattr("cuvee.trust.site_writer.shutil.copyfile", copy)
    with pytest.raises(StorageError, match="No space left"):
        publish(tmp_path, both[1])
    after = files_of(tmp_path)
    indexes = [name for name in before if "repodata" in name]
    assert {name: after[name] for name in indexes} == {name: before[name] for name in indexes}


# --- the whole site --------------------------------------------------------------------------------------


@pytest.fixture
def signing() -> SiteSigning:
    roots, targets = complete(new_trust())
    return SiteSigning(
        roots=roots, targets=targets, signers={KEYS[name].keyid: SIGNERS[name] for name in ONLINE}
    )


def test_a_site_is_signed_grows_and_is_refused_when_changed(
    both: tuple[Release, Release], tmp_path: Path, signing: SiteSigning
) -> None:
    folder, root = tmp_path / "site", signing.roots.data[0]
    for hours, release in enumerate(both):
        now = SITE_TIME + dt.timedelta(hours=hours)
        done = publish_site([release.folder], folder, SILENT, now=now, signing=signing)
    assert "2.stable.json" in done.signed
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = publish_site([both[0].folder], folder, SILENT, now=now, signing=signing)
    assert (again.added, again.signed) == ((), ())
    assert {path: path.stat().st_mtime_ns for path in before} == before
    signed = {path.relative_to(folder / "targets") for path in (folder / "targets").rglob("*.*")}
    plain = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    plain = {path for path in plain if path.parts[0] not in {"targets", "metadata", ".lock"}}
    plain = {path for path in plain if path.name != "bundle.zip"}  # it has its signatures in it
    assert plain <= {path.parent / path.name.partition(".")[2] for path in signed}
    page = (folder / "index.html").read_text()
    for release in both:
        assert f"releases/stable/{release.name}/report/index.html" in page
        assert (folder / f"releases/stable/{release.name}/report/index.html").is_file()
    assert both[1].name in (folder / "tiny.atom").read_text()

    def fetch(name: str, state: str) -> Path:
        client = SiteClient.open(site_source(str(folder), tmp_path / "parts"), root, tmp_path / state, now)
        chosen = chosen_release(releases_of(client, now), name, "site")
        return fetch_installer(client, chosen, chosen.listed.installers[0], tmp_path / "out", now).path

    installer = fetch("tiny", "reader")
    assert installer.read_bytes() == next((both[1].folder / "installers").glob("*.sh")).read_bytes()
    assert fetch(both[0].name, "reader").name != installer.name
    with pytest.raises(UsageError, match="is signed, and what you publish would not be"):
        publish_site([both[0].folder], folder, SILENT, now=now)
    record = folder / "releases/stable" / both[0].name / "release.json"
    record.unlink()
    record.write_text("{}")
    with pytest.raises(IntegrityError, match=r"release\.json is missing, or not what was signed"):
        publish_site([both[1].folder], folder, SILENT, now=now, signing=signing)
    publish_site([both[0].folder], folder, SILENT, now=now, signing=signing)
    assert record.read_bytes() == (both[0].folder / "release.json").read_bytes()


def test_a_published_release_never_changes(
    changed: Path, both: tuple[Release, Release], tmp_path: Path, signing: SiteSigning
) -> None:
    publish_site([both[0].folder], tmp_path / "site", SILENT, now=SITE_TIME, signing=signing)
    before = files_of(tmp_path / "site")
    page = changed / "report" / "index.html"
    page.write_text("other")
    sums = (changed / "SHA256SUMS").read_text()
    old = next(line for line in sums.splitlines() if line.endswith("  report/index.html"))
    new = f"{sha256_file(page)}  report/index.html"
    (changed / "SHA256SUMS").write_text(sums.replace(old, new))
    with pytest.raises(BlockedError, match=r"is not the one that is published"):
        publish_site([changed], tmp_path / "site", SILENT, now=SITE_TIME, signing=signing)
    assert files_of(tmp_path / "site") == before


def test_the_bundle_of_a_release_has_the_attestations_of_its_packages(
    both: tuple[Release, Release], tmp_path: Path, signing: SiteSigning
) -> None:
    folder = tmp_path / "site"
    publish_site([item.folder for item in both], folder, SILENT, now=SITE_TIME, signing=signing)
    names = {release.name: set(_packages(release)) for release in both}
    assert names[both[0].name] != names[both[1].name]
    root, one = signing.roots.data[0], both[1].name
    client = SiteClient.open(
        site_source(str(folder), tmp_path / "parts"), root, tmp_path / "state", SITE_TIME
    )
    mirror_site(client, tmp_path / "disk", SITE_TIME, releases=[one])
    bundles = [top / "releases/stable" / one / BUNDLE for top in (folder, tmp_path / "disk")]
    assert bundles[0].read_bytes() == bundles[1].read_bytes()
    assert not [*(tmp_path / "disk" / "channel").rglob("*.conda")]
    for release in both:
        path = folder / "releases/stable" / release.name / BUNDLE
        members = read_bundle(path.read_bytes(), source="bundle.zip")
        attested = {name for name in members if name.startswith("channel/")}
        assert attested == {f"channel/{name}.sigs" for name in names[release.name]}
        anchor = TrustAnchor(root=root, now=SITE_TIME)
        assert not verify_subject(path, anchor, None).problems
        changed = min(attested)
        assert members[changed] == (folder / changed).read_bytes()
        for others, text in (
            ({name: data for name, data in members.items() if name != changed}, f"{changed} is missing"),
            ({**members, changed: b"[]"}, f"{changed} is not the file that was signed"),
            ({**members, "channel/noarch/x.conda.sigs": b"[]"}, "x.conda.sigs is there, and does not belong"),
        ):
            path.write_bytes(bundle_bytes(others))
            (problem,) = verify_subject(path, anchor, None).problems
            assert problem.name == "log, VEX and attestations"
            assert text in problem.text


def test_a_prefix_that_a_delta_has_upgraded_is_traced_to_the_root(
    both: tuple[Release, Release], tmp_path: Path, signing: SiteSigning, capsys: pytest.CaptureFixture[str]
) -> None:
    site, prefix = tmp_path / "site", tmp_path / "a prefix"
    publish_site([item.folder for item in both], site, SILENT, now=SITE_TIME, signing=signing)
    folders = [str(item.folder) for item in both]
    assert run(["delta", *folders, "--output", str(tmp_path / "upgrades"), "--json"]) == 0
    (delta,) = (tmp_path / "upgrades").glob("*.sh")
    installer = next((both[0].folder / "installers").glob("*.sh"))
    anchor = TrustAnchor(root=signing.roots.data[0], now=SITE_TIME)

    def problems(release: Release) -> tuple[ChainLink, ...]:
        return verify_subject(prefix, anchor, site / "releases/stable" / release.name / BUNDLE).problems

    old, new = both
    for file, release, other in ((installer, old, new), (delta, new, old)):
        done = process.run(process.Request(argv=("sh", str(file), "-b", "-p", str(prefix)), timeout=HANGING))
        assert done.exit_code == 0, done.stderr
        assert problems(release) == ()
        assert problems(other)
    argv = (str(prefix / "bin" / "tiny-admin"), "rollback")
    assert process.run(process.Request(argv=argv, timeout=HANGING)).exit_code == 0
    assert problems(old) == ()


def _packages(release: Release) -> Iterator[str]:
    for line in (release.folder / "SHA256SUMS").read_text().splitlines():
        top, _, path = line.partition("  ")[2].partition("/")
        if top in {"channel", "metapackages"} and path.endswith(".conda"):
            yield path


def test_a_site_without_signatures_can_be_signed_later(
    both: tuple[Release, Release], tmp_path: Path, signing: SiteSigning
) -> None:
    folder = tmp_path / "site"
    assert publish_site([both[0].folder], folder, SILENT, now=SITE_TIME).signed == ()
    assert not (folder / "metadata").exists()
    publish_site([both[0].folder], folder, SILENT, now=SITE_TIME, signing=signing)
    publish_site([both[0].folder], tmp_path / "other", SILENT, now=SITE_TIME, signing=signing)
    one, other = files_of(folder), files_of(tmp_path / "other")
    assert all("/shards/" in name for name in one.keys() - other.keys()), "those of the index before stay"
    assert {name: one[name] for name in other} == other


# --- what users are told ---------------------------------------------------------------------------------


@pytest.fixture
def site(both: tuple[Release, Release], tmp_path: Path, signing: SiteSigning) -> Iterator[tuple[Path, str]]:
    """A signed site: conda and rattler read an index that names attestations."""
    folders = [item.folder for item in both]
    publish_site(folders, tmp_path / "site", SILENT, now=SITE_TIME, signing=signing)
    with serving(tmp_path / "site") as url:
        yield tmp_path / "site", f"{url}/channel"


def got(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
        data: bytes = answer.read()
    return data


def test_each_package_is_attested_where_repodata_says(site: tuple[Path, str]) -> None:
    """As a client of CEP 50 does it, over HTTP; then rattler reads the same index."""
    names = set()
    for folder in (site[0] / "channel").iterdir():
        records = parse_json((folder / "repodata.json").read_bytes())["packages.conda"]
        current = parse_json((folder / "current_repodata.json").read_bytes())["packages.conda"]
        assert all(records[name] == record for name, record in current.items())
        for name, record in records.items():
            url = f"{site[1]}/{folder.name}/{name}.sigs"
            data = got(f"{url}.{record['attestations_sha256']}")
            assert sha256_bytes(data) == record["attestations_sha256"]
            assert got(url) == data
            (bundle,) = parse_json(data)
            envelope = Envelope.parse(json.dumps(bundle["dsseEnvelope"]).encode())
            assert public_text(KEYS["stable"]).has_signed(envelope.signed, envelope.signatures[0].sig)
            assert parse_json(envelope.payload)["subject"] == [
                {"name": name, "digest": {"sha256": sha256_file(folder / name)}}
            ]
            names.add(f"{folder.name}/{name}")
    read = rattler.fetch_repo_data(
        channels=[rattler.Channel(site[1])],
        platforms=[rattler.Subdir(path.name) for path in (site[0] / "channel").iterdir()],
        cache_path=site[0].parent / "cache",
        callback=None,
    )
    found = [
        record
        for data in asyncio.run(read)
        for name in data.package_names()
        for record in data.load_records(rattler.PackageName(name))
    ]
    assert {f"{record.subdir}/{record.file_name}" for record in found} == names


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)


def commands(page: str) -> list[list[str]]:
    return [
        shlex.split(line.removeprefix("$ ")) for text in blocks(page, "console") for line in text.splitlines()
    ]


def locked(release: Release, platform: str) -> set[str]:
    return {exact_spec(item) for item in release.lock.by_platform[platform].packages}


def solved(channels: list[str], specs: list[str], platform: str, cache: Path) -> set[str]:
    records = asyncio.run(
        rattler.solve(
            [rattler.Channel(url) for url in channels],
            specs=[rattler.MatchSpec(text) for text in specs],
            platforms=[rattler.Subdir(platform), rattler.Subdir("noarch")],
            gateway=rattler.Gateway(cache_dir=cache),
            virtual_packages=rattler.VirtualPackage.detect(),
        )
    )
    return {
        f"{item.name.normalized} =={item.version} {item.build}"
        for item in records
        if not item.name.normalized.startswith("tiny")
    }


def asked(command: list[str]) -> tuple[list[str], list[str]]:
    """Return the channels and the specs of a command of conda or mamba."""
    channels = [command[at + 1] for at, word in enumerate(command) if word == "--channel"]
    values = {command[at + 1] for at, word in enumerate(command) if word in {"--channel", "--name"}}
    specs = [word for word in command[2:] if not word.startswith("-") and word not in values]
    return channels, specs


def test_each_block_gives_the_release(
    both: tuple[Release, Release], site: tuple[Path, str], host_platform: str, tmp_path: Path
) -> None:
    """By rattler, in the place of conda, mamba and pixi."""
    page = users_page(both[0], site[1])
    creating = [command for command in commands(page) if command[1] == "create"]
    assert [command[0] for command in creating] == ["conda", "mamba", "conda"]
    for command in creating[:2]:
        assert solved(*asked(command), host_platform, tmp_path) == locked(both[0], host_platform)
    (text,) = blocks(page, "toml")
    pixi = tomllib.loads(text)
    assert pixi["workspace"]["platforms"] == [host_platform, "win-64"]
    specs = [f"{name} {version}" for name, version in pixi["dependencies"].items()]
    assert solved(pixi["workspace"]["channels"], specs, host_platform, tmp_path) == locked(
        both[0], host_platform
    )
    part = solved(*asked(creating[2]), host_platform, tmp_path)
    assert part
    assert part < locked(both[0], host_platform)


def test_the_page_names_the_installer_and_what_conda_would_add(
    both: tuple[Release, Release], site: tuple[Path, str]
) -> None:
    page = users_page(both[0], site[1])
    assert "| `sh Tiny-2026.11.0-Linux-" in page
    assert "conda config --set add_pip_as_python_dependency false" in page
    assert "<" not in page
    assert "&" not in page


def test_a_release_without_metapackages_has_no_page(both: tuple[Release, Release]) -> None:
    import dataclasses

    with pytest.raises(UsageError, match="has no metapackages"):
        users_page(dataclasses.replace(both[0], metapackages=None), "https://example.org/channel")


def environment_of(tmp_path: Path) -> dict[str, str]:
    folders = {"HOME": "home", "CONDA_PKGS_DIRS": "packages", "CONDA_ENVS_DIRS": "environments"}
    for name in folders.values():
        (tmp_path / name).mkdir()
    found = {key: str(tmp_path / name) for key, name in folders.items()}
    return found | {
        "PATH": os.environ["PATH"],
        "MAMBA_ROOT_PREFIX": str(tmp_path / "home"),
        **{key: value for key, value in os.environ.items() if key == "CONDA_SOLVER"},
    }


@pytest.mark.parametrize("tool", ["conda", "mamba"])
def test_the_commands_run(
    both: tuple[Release, Release],
    site: tuple[Path, str],
    tool: str,
    host_platform: str,
    tmp_path: Path,
) -> None:
    """Create, add what contradicts the release, and move to the next one, with the tool itself."""
    if reason := missing(tool):
        pytest.skip(reason)
    environment = environment_of(tmp_path)

    def run(*argv: str) -> process.Completed:
        return process.run(process.Request(argv=argv, environment=environment, timeout=HANGING))

    def installed() -> set[str]:
        done = run(tool, "list", "--name", "tiny", "--json")
        assert done.ok, done.stderr
        return {
            f"{item['name']} =={item['version']} {item.get('build_string') or item['build']}"
            for item in json.loads(done.stdout)
            if not item["name"].startswith("tiny")
        }

    page = users_page(both[0], site[1])
    (setting,) = [command for command in commands(page) if command[1] == "config"]
    assert run(tool, *setting[1:]).ok
    create = next(command for command in commands(page) if command[:2] == [tool, "create"])
    done = run(*create, "--yes")
    assert done.ok, done.stdout + done.stderr
    assert installed() == locked(both[0], host_platform)
    (install,) = [command for command in commands(page) if command[-1] == "tiny=NUMBER"]
    refused = run(tool, *install[1:-1], "tqdm=4.70.1", "--yes")
    assert not refused.ok
    assert "tiny" in refused.stdout + refused.stderr
    assert installed() == locked(both[0], host_platform)
    assert run(tool, *install[1:-1], "tiny=2026.11.1", "--yes").ok
    assert installed() == locked(both[1], host_platform)
