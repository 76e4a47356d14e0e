"""A tiny distribution that tests cut for real."""

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path
from platform import libc_ver

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cuvee import platforms
from cuvee.manifest import load_manifest
from cuvee.progress import Silent
from cuvee.release.cutting import cut
from cuvee.release.record import Release
from cuvee.release.session import Options, Session
from cuvee.trust.keys import SigningKey
from run_folder import RUN

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)

MANIFEST = """\
manifest: 1
distribution: tiny
version: "2026.11.0"
title: Tiny
platforms:
  {host}: {{floor: {{glibc: "{glibc}"}}}}
  win-64: {{floor: {{win: "10"}}}}
interpreter: host
exclude-newer: 2026-11-20T00:00:00Z
owners:
  core: {{contact: core@example.org}}
packages:
  python: {{version: ">=3.11", owner: core}}
  tqdm: {{version: "==4.70.0", owner: core}}
  attrs: {{version: ">=25", owner: core}}
wheels: [tqdm, attrs]
suites: [smoke]
installers: {{formats: {{linux: [sh]}}}}
"""


def write_key(folder: Path) -> Path:
    """Write the private key of a publisher, which only its user may read."""
    path = folder / "publisher.pem"
    path.touch(0o600)
    private = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


class Recorder(Silent):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, task: str, *, total: int | None = None) -> None:
        self.lines.append(task)

    def say(self, message: str) -> None:
        self.lines.append(message)

    def warn(self, message: str) -> None:
        self.lines.append(message)

    @property
    def unchanged(self) -> set[str]:
        """The stages that were not done again."""
        return {line.removesuffix(": unchanged") for line in self.lines if line.endswith(": unchanged")}


CONVERSIONS = (
    "bytecode", "frames", "imported", "infos", "inspections", "interpreters", "packed", "stage0", "wheels",
)  # fmt: skip
"""The parts of a cache that hold what depends on content alone: no outcomes of tests, and no builds."""


def fill_cache(cache: Path) -> None:
    """Give a test a cache of its own with what the tiny distribution needs, which is made once per run.

    To pack an interpreter, compile and compress is most of the work of cutting a tiny release.
    """
    for path in RUN.made_once("conversions", _convert).iterdir():
        shutil.copytree(path, cache / path.name)


def _convert(folder: Path) -> None:
    """Cut the tiny distribution, without tests, with an empty cache."""
    host = platforms.host()
    assert host is not None
    work = folder.with_name(f"{folder.name}.work")
    shutil.rmtree(work, ignore_errors=True)  # another test could not do it
    (work / "cache").mkdir(parents=True)
    text = MANIFEST.format(host=host.name, glibc=libc_ver()[1]).replace("suites: [smoke]\n", "")
    distribution = Distribution(work, Recorder())
    distribution.cut(distribution.write(text))
    folder.mkdir(exist_ok=True)
    for path in (work / "cache" / name for name in CONVERSIONS):
        if path.is_dir():
            path.rename(folder / path.name)
    shutil.rmtree(work)


@dataclass
class Distribution:
    """A folder with manifests, and where their releases go; its cache is filled unless it is there."""

    root: Path
    recorder: Recorder

    @property
    def dist(self) -> Path:
        return self.root / "dist"

    def write(self, text: str, version: str = "2026.11.0") -> Path:
        path = self.root / "manifests" / "tiny" / f"{version}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def cut(
        self,
        path: Path,
        *wanted: str,
        emulate: bool = False,
        signer: SigningKey | None = None,
        keep_going: bool = False,
        retest: bool = False,
    ) -> Release:
        self.recorder.lines.clear()
        session = self.session(
            path, *wanted, emulate=emulate, signer=signer, keep_going=keep_going, retest=retest
        )
        with session.workspace.locked():
            return cut(session)

    def session(
        self,
        path: Path,
        *wanted: str,
        emulate: bool = False,
        signer: SigningKey | None = None,
        keep_going: bool = False,
        retest: bool = False,
    ) -> Session:
        if not (self.root / "cache").exists():
            fill_cache(self.root / "cache")
        options = Options(
            dist=self.dist,
            cache=self.root / "cache",
            now=NOW,
            platforms=wanted,
            emulate=emulate,
            signer=signer,
            keep_going=keep_going,
            retest=retest,
        )
        return Session(load_manifest(path, today=NOW.date()), options, self.recorder)
