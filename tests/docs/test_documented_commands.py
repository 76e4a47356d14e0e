"""The commands that pages show run as typed, on releases with the names that the pages use."""

import json
import os
import platform
import re
import shutil
import sys
from pathlib import Path

import pytest

from cuvee import process
from cuvee.cache_folder import default_cache
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import index_channel
from cuvee.process import Request
from docs_text import blocks
from needed_programs import HANGING, needs

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
"""The pages of users; CONTRIBUTING is for those who run these tests."""

pytestmark = [
    pytest.mark.real,
    pytest.mark.minutes(3),
    needs("openssl"),
    pytest.mark.skipif(
        (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="needs Linux on x86-64"
    ),
]

STARTER = """\
manifest: 1
distribution: starter
version: "2026.11.0"
title: Starter
platforms:
  linux-64: {floor: {glibc: "2.36"}}
channels: [./conda]
interpreter: host
exclude-newer: 2026-11-20T00:00:00Z
owners:
  core: {contact: core@example.org}
packages:
  python: {version: ">=3.11", owner: core}
  numpy: {version: "==2.4.1", owner: core}
  click: {version: "==8.5.0", owner: core}
  colorama: {version: "*", owner: core}
wheels: [click, colorama]
suites: [smoke]
installers: {formats: {linux: [sh]}}
"""
PATCH = """\
manifest: 1
distribution: starter
version: "2026.11.1"
based-on: "2026.11.0"
packages:
  click: "==8.5.1"
"""
SCIENCE = """\
manifest: 1
distribution: science
version: "2026.11.0"
title: Science
platforms:
  linux-64: {floor: {glibc: "2.36"}}
channels: [./conda]
packages:
  numpy: ">=2.4"
  scipy: ">=1.16"
installers: {formats: {}}
"""
CHANNEL = {
    "numpy-2.4.1-0.conda": [],
    "numpy-2.5.0-0.conda": [],
    "scipy-1.16.3-0.conda": ["numpy >=2.4,<2.5"],
    "scipy-1.17.0-0.conda": ["numpy >=2.4"],
}

CONSTRUCT = """\
name: Starter
version: "2026.11.0"
channels:
  - ./channel
specs:
  - click
virtual_specs:
  - __glibc >=2.36
"""
KEYS = (
    "openssl genpkey -algorithm ed25519 -out publisher.pem",
    "openssl pkey -in publisher.pem -pubout -out publisher.pub.pem",
)
"""Commands of a page that have run before it, since the releases are signed."""

NOT_RUN = {
    "cuvee log show site": "no site was published",
    "cuvee build manifests/lab/2026.11.0.yaml --platform osx-arm64 --json > build.json": "runs on a Mac",
    "tar -cf osx-arm64.tar build.json -C dist/lab-2026.11.0 channel/osx-arm64 builds": "runs on a Mac",
    "cuvee build manifests/lab/2026.11.0.yaml --built osx-arm64 --plan": "needs what a Mac has built",
    "cuvee release manifests/lab/2026.11.0.yaml --built osx-arm64": "needs what a Mac has built",
    "cuvee delta dist/starter-2026.11.0 dist/starter-2026.11.1 --output upgrades": "no point release was cut",
    "cuvee delta Starter-2026.11.0-Linux-x86_64.sh Starter-2026.11.1-Linux-x86_64.sh --json": (
        "both installers are the same release here"
    ),
    "sh Starter-2026.11.0-to-2026.11.1-Linux-x86_64.sh -b -p /opt/starter": "tests/installers makes deltas",
    "cuvee log verify site": "no site was published",
    'cuvee log revoke site ada.pub.json --reason "the laptop was stolen"': "no site was published",
    "cuvee approve dist/starter-2026.11.0": "the release asks for no approvals",
    "cuvee approve dist/starter-2026.11.0 --key ada.pem": "asks a question on a terminal",
    "script/release --platform linux-64": "tests/starter cuts the starter",
    "script/release manifests/starter/2026.11.1.yaml --platform linux-64": "tests/starter cuts the starter",
    "script/release path/to/manifest.yaml": "names no file",
    "~/starter/bin/jupyter lab": "does not end",
    "jupyter lab": "does not end",
    "constructor . --cache-dir ~/.conda/constructor/Starter-2026.11.0": "needs constructor",
    "cuvee installers --from construct.yaml --platform linux-64 --platform win-64 --output dist": (
        "needs a channel with packages for Windows"
    ),
    "cuvee check-channel conda-forge --platform linux-64": "needs a channel of the internet",
    "cuvee check-channel conda-forge --platform linux-64 --executor dask://127.0.0.1:8786": (
        "needs a channel of the internet, and a cluster"
    ),
    "cuvee test manifests/starter/2026.11.0.yaml --plan --executor dask://10.0.0.5:8786": "needs a cluster",
    "cuvee test manifests/starter/2026.11.0.yaml --executor dask://10.0.0.5:8786": "needs a cluster",
    "cuvee release manifests/starter/2026.11.0.yaml --executor dask://10.0.0.5:8786": "needs a cluster",
    "cuvee build manifests/starter/2026.11.0.yaml --executor dask://10.0.0.5:8786": "needs a cluster",
    "python3 -m venv venv": "the environment of the tests has cuvee",
    "venv/bin/pip install ./cuvee": "the environment of the tests has cuvee",
    ". venv/bin/activate": "the environment of the tests has cuvee",
    "pip install './cuvee[build]'": "the environment of the tests has cuvee",
    "pip install './cuvee[dask]'": "the environment of the tests has cuvee",
    "dask scheduler --host 10.0.0.5 --port 8786": "does not end",
    'dask worker tcp://10.0.0.5:8786 --nthreads 2 --resources "linux-64=2"': "does not end",
    "pip install './cuvee[notebook]' jupyterlab": "the environment of the tests has cuvee",
    'eval "$(_CUVEE_COMPLETE=zsh_source cuvee)"': "is for zsh",
    "_CUVEE_COMPLETE=fish_source cuvee | source": "is for fish",
    "export HTTPS_PROXY=http://proxy.example.org:3128": "names no proxy",
    "export NO_PROXY=conda.example.org": "names no proxy",
    "cuvee bisect --test smoke/import:pandas dist/starter-2026.10.0 dist/starter-2026.11.0": (
        "needs two releases, of which one fails a test"
    ),
    "cuvee fetch https://packages.example.org starter --root root.json --format sh": "names no site",
    "cuvee import-results dist/lab-2026.11.0 outcomes.json": "needs results of another machine",
    "cuvee import-results dist/lab-2026.11.0 gui.xml --suite gui --platform win-64 --machine laptop"
    " --installer Lab.exe": "needs results of another machine",
    "cuvee test manifests/lab/2026.11.0.yaml --on /srv/debian-11": "needs another Linux system",
    "cuvee test dist/lab-2026.11.0 --platform linux-aarch64 --on ssh://builder@arm-box --results elsewhere": (
        "needs a machine"
    ),
    "cuvee test dist/lab-2026.11.0 --platform linux-64 --on container:docker.io/library/debian:11"
    " --results elsewhere": "needs an image of the internet",
    "cuvee import-results dist/lab-2026.11.0 elsewhere/linux-aarch64/outcomes.json": (
        "needs results of another machine"
    ),
    "cuvee report dist/lab-2026.11.0 --output build/report --parquet": "needs pyarrow",
    "cuvee report --index dist archive --output site": "needs a second folder of releases",
    "cuvee report --serve": "does not end",
    "cosign verify-blob-attestation --key track-key.pem --bundle click.sigstore.json"
    " --type https://schemas.conda.org/attestations-publish-1.schema.json --private-infrastructure"
    " click-8.5.0-py_0.conda": "cosign is in neither Debian nor the Python index",
}
"""Commands that cannot run here, with the reason."""

ANSWERS = (
    "cuvee check-channel",
    "cuvee coinstall",
    "cuvee impact",
    "cuvee inclusion",
    "cuvee test manifests/lab/2026.11.0.yaml --select",
    "/opt/starter-moved/bin/starter-admin verify",
    "/opt/starter/bin/starter-admin status",
)
"""Commands whose exit code 1 is an answer: there are findings, not all tests were run, a prefix was moved,
a release lacks a fix."""

PUBLISHING = "docs/howto/publish.md"
"""The page by which there is a site."""

INSTALL = "sh Starter-2026.11.0-Linux-x86_64.sh -b -p /opt/starter"
UPGRADE = "sh Starter-2026.11.1-Linux-x86_64.sh -b -u -p /opt/starter"


def typed(page: Path) -> list[str]:
    """Return what a reader of a page would type, one text per block; other lines of a console are output."""
    found = []
    for block in blocks(page):
        lines = block.text.splitlines()
        if block.language == "console":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        if block.language in {"console", "sh"} and lines:
            found.append("\n".join(re.sub(r"\s\s+# .*$", "", line) for line in lines))
    return found


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the manifests, releases, channels and keys that pages name."""
    folder = tmp_path_factory.mktemp("workshop")
    tutorial = [block.text for block in blocks(ROOT / "docs/tutorial/first-distribution.md")]
    lab = next(text for text in tutorial if text.startswith("manifest: 1"))
    for name, text in {
        "starter/2026.11.0": STARTER,
        "starter/2026.11.1": PATCH,
        "science/2026.11.0": SCIENCE,
        "lab/2026.11.0": lab,
        "lab/2026.11.1": PATCH.replace("starter", "lab"),
    }.items():
        path = folder / "manifests" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    write_numpy(folder / "manifests/starter/conda")
    write_errata(folder / "errata")
    for name in ("home", "opt", "srv", "var/log"):
        (folder / name).mkdir(parents=True)
    for subdir, records in (("linux-64", science_records()), ("noarch", {})):
        path = folder / "manifests/science/conda" / subdir / "repodata.json"
        path.parent.mkdir(parents=True)
        index = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": records, "repodata_version": 1}
        path.write_text(json.dumps(index), encoding="utf-8")
    (folder / ".git").mkdir()  # enough of a repository for `cuvee ci`
    run(folder, "\n".join(KEYS), setup=True)
    for name in ("starter/2026.11.0", "starter/2026.11.1", "lab/2026.11.0"):
        run(folder, f"cuvee release manifests/{name}.yaml --quiet --sign-key publisher.pem")
    run(folder, "cuvee errata --output published --sign-key publisher.pem")
    for name in ("errata.json", "errata.json.sig"):
        shutil.copy(folder / "published" / name, folder)
    shutil.copytree(folder / "dist/starter-2026.11.0/channel", folder / "channel")
    for version in ("2026.11.0", "2026.11.1"):
        shutil.copy(folder / f"dist/starter-{version}/installers/Starter-{version}-Linux-x86_64.sh", folder)
    for name in ("checks/certificate.json", "lock/pixi.lock"):
        shutil.copy(folder / "dist/starter-2026.11.0" / name, folder)
    for name in ("SHA256SUMS", "SHA256SUMS.sig", "installers"):
        (folder / name).symlink_to(folder / "dist/starter-2026.11.0" / name)
    (folder / "downloads").symlink_to(folder / "dist")
    for number, name in enumerate(("old", "new")):
        release = folder / f"dist/starter-2026.11.{number}"
        (folder / ("one", "two")[number]).symlink_to(release)
        shutil.copy(release / "lock/linux-64.explicit.txt", folder / f"{name}.txt")
        (folder / f"{name}-specs.txt").write_text("python\nnumpy\nclick\n", encoding="utf-8")
    (folder / "construct.yaml").write_text(CONSTRUCT, encoding="utf-8")
    (folder / "example-ca.crt").write_text("", encoding="utf-8")
    return folder


def write_numpy(channel: Path) -> None:
    """Write a channel with a package of that name: pages install it many times, and none computes with it."""
    metadata = "Metadata-Version: 2.1\nName: numpy\nVersion: 2.4.1\n"
    files = {
        "numpy/__init__.py": "",
        "numpy-2.4.1.dist-info/METADATA": metadata,
        "numpy-2.4.1.dist-info/RECORD": "numpy/__init__.py,,\nnumpy-2.4.1.dist-info/METADATA,,\n",
    }
    content = PackageContent(
        name="numpy",
        version="2.4.1",
        build="py_0",
        subdir="noarch",
        noarch="python",
        depends=("python",),
        timestamp=1_700_000_000_000,
        license="BSD-3-Clause",
        test_imports=("numpy",),
        files=tuple(
            PackageFile(path=f"site-packages/{path}", content=text.encode()) for path, text in files.items()
        ),
    )
    write_package(content, channel / "noarch")
    index_channel(channel, ["linux-64"])


def write_errata(folder: Path) -> None:
    """Write the errata that their page shows."""
    folder.mkdir()
    for block in blocks(ROOT / "docs/howto/errata.md"):
        if named := re.match(r"# errata/(\S+\.yaml)\n", block.text):
            (folder / named[1]).write_text(block.text, encoding="utf-8")


def science_records() -> dict[str, object]:
    """Return the records of a channel with two versions of numpy and of scipy."""
    records: dict[str, object] = {}
    for number, (file, depends) in enumerate(CHANNEL.items()):
        name, version, _ = file.split("-")
        records[file] = {
            "name": name, "version": version, "build": "0", "build_number": 0, "subdir": "linux-64",
            "depends": depends, "sha256": f"{number:064x}", "md5": f"{number:032x}", "size": 1,
        }  # fmt: skip
    return records


def run(folder: Path, commands: str, *, setup: bool = False) -> None:
    """Run lines with bash in the workshop, parts of which stand for the root folder and the home."""
    lines = [line for line in commands.splitlines() if line not in NOT_RUN and (setup or line not in KEYS)]
    lines = [f"{line} || [ $? = 1 ]" if line.startswith(ANSWERS) else line for line in lines]
    script = re.sub(r"/(?:opt|srv|var/log)(?=/)", lambda match: f"{folder}{match[0]}", "\n".join(lines))
    environment = {
        **os.environ,
        "HOME": str(folder / "home"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CUVEE_CACHE_DIR": str(default_cache()),
        "CUVEE_KEY_PASSPHRASE": "four random words here",
        "installer": "Starter-2026.11.1-Linux-x86_64.sh",
    }
    argv = ("bash", "-e", "-o", "pipefail", "-c", script)
    done = process.run(Request(argv=argv, cwd=folder, environment=environment, timeout=HANGING))
    assert done.exit_code == 0, f"{script}\nexit {done.exit_code}\n{done.stdout[-1000:]}{done.stderr[-2000:]}"


def prepare(folder: Path, commands: str) -> None:
    """Bring the machine to where a reader of these lines is: without the release, with it, or upgraded."""
    is_upgraded = "rollback" in commands
    is_of_site = any(text in commands for text in ("cuvee verify /opt/starter", "manifest.json.zst"))
    is_first = "-b -p /opt/starter" in commands and "--share" not in commands
    if is_upgraded or is_of_site or is_first:
        shutil.rmtree(folder / "opt")
        (folder / "opt").mkdir()
    if "www/" in commands and "--to www" not in commands and not (folder / "www").exists():
        for before in typed(ROOT / PUBLISHING):
            prepare(folder, before)
            run(folder, before)
    if is_of_site:  # another page may have cut the release again
        run(folder, INSTALL.replace("sh ", "sh from-site/", 1))
    if is_upgraded or ("/opt/starter" in commands and "-b -p" not in commands):
        run(folder, f"[ -e /opt/starter ] || {INSTALL}")
    if is_upgraded:
        run(folder, UPGRADE)


@pytest.mark.parametrize("name", [str(page.relative_to(ROOT)) for page in PAGES if typed(page)])
def test_each_command_runs_as_typed(workshop: Path, name: str) -> None:
    for commands in typed(ROOT / name):
        prepare(workshop, commands)
        run(workshop, commands)


def test_commands_that_cannot_run_are_shown() -> None:
    shown = {line for page in PAGES for commands in typed(page) for line in commands.splitlines()}
    assert NOT_RUN.keys() <= shown
