"""What the pages for administrators tell people to type is typed here, and does what they say.

Each page is one session: its commands run in their order, in one folder, on the tiny release.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cuvee import process
from cuvee.installers.delta_installer import make_delta
from cuvee.installers.sh import build_sh
from cuvee.installers.whole_installer import read_installer
from cuvee.progress import SILENT
from cuvee.trust.keys import SigningKey
from docs_text import blocks
from needed_programs import HANGING
from tiny_release import LICENSE, Release, build

pytestmark = pytest.mark.real

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
OLD, NEW = "Starter-2026.11.0-Linux-x86_64.sh", "Starter-2026.11.1-Linux-x86_64.sh"
DELTA = "Starter-2026.11.0-to-2026.11.1-Linux-x86_64.sh"


@dataclass(frozen=True, kw_only=True)
class Session:
    """A folder with both installers, and a place to install to."""

    folder: Path
    releases: tuple[Release, Release]

    @property
    def prefix(self) -> Path:
        return self.folder / "opt" / "starter"

    def bring(self, *installers: Path) -> None:
        """Put the installers, and their sums, where the pages have them."""
        sums = ""
        for name, path in zip((OLD, NEW), installers, strict=True):
            shutil.copyfile(path, self.folder / name)
            sums += f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n"
        (self.folder / "SHA256SUMS").write_text(sums)

    def run(self, command: str) -> process.Completed:
        """Run a line as it is shown, with places of this machine."""
        for shown, here in (
            ("/opt/starter", str(self.prefix)),
            ("starter-admin", "tiny-admin"),
            ("dist/starter-2026.11.0", "."),
            ("/var/log/", f"{self.folder}/"),
        ):
            command = command.replace(shown, here)
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        request = process.Request(
            argv=("sh", "-c", command),
            cwd=self.folder,
            environment=environment | {"installer": NEW, "XDG_DATA_HOME": str(self.folder / "data")},
            timeout=HANGING,
        )
        return process.run(request)

    def install(self) -> None:
        shutil.rmtree(self.prefix, ignore_errors=True)
        assert self.run(f"sh {OLD} -b -p /opt/starter").ok

    def upgrade(self) -> None:
        assert self.run(f"sh {NEW} -b -u -p /opt/starter").ok

    def delta(self) -> None:
        """Hand out a delta, and install what it upgrades."""
        old, new = (read_installer(self.folder / name) for name in (OLD, NEW))
        made = make_delta(old, new, folder=self.folder / "delta", reporter=SILENT)
        shutil.copyfile(made.path, self.folder / DELTA)
        self.install()

    def spoil(self) -> None:
        (self.prefix / "share" / "tools" / "readme").write_text("spoilt")
        (self.prefix / "bin" / "tool").unlink()

    def sign(self) -> None:
        """Cut both releases again, signed with the key that the page has made."""
        key = SigningKey.read(self.folder / "publisher.pem")
        made = []
        for release, version in zip(self.releases, ("2026.11.0", "2026.11.1"), strict=True):
            image = build(
                release.lock, release.archives, release.requested, folder=self.folder / version,
                cache=release.cache, version=version, signer=key, sbom=b"{}",
            )  # fmt: skip
            target = self.folder / f"{version}.sh"
            made.append(build_sh(image, license_text=LICENSE, target=target, reporter=SILENT))
        self.bring(*made)
        signed = key.sign((self.folder / "SHA256SUMS").read_bytes())
        (self.folder / "SHA256SUMS.sig").write_bytes(signed)


def commands(page: str) -> Iterator[str]:
    """Yield the commands that a page shows, in order; a script is one."""
    for block in blocks(HOWTO / page):
        if block.language == "console":
            yield from (line[2:] for line in block.text.splitlines() if line.startswith("$ "))
        elif block.language == "sh":
            yield block.text


@pytest.fixture
def session(release: Release, newer: Release, tmp_path: Path) -> Session:
    made = Session(folder=tmp_path, releases=(release, newer))
    made.bring(release.installer, newer.installer)
    return made


Steps = dict[str, tuple[Callable[[Session], object], int]]
DEPLOY: Steps = {}
ADMINISTER: Steps = {
    # What the session does before a command, and how the command ends then; otherwise nothing, and with 0.
    "admin help": (Session.install, 0),
    "admin verify": (Session.spoil, 1),
    DELTA: (Session.delta, 0),
    "--repair -p": (Session.spoil, 0),
    "-moved/bin/starter-admin verify": (lambda _: None, 1),
    "uninstall --dry-run": (Session.install, 0),
    "--uninstall -p": (Session.install, 0),
    "admin status": (lambda _: None, 3),  # the tiny release is not signed; that of tests/docs is
    "--sbom": (lambda _: None, 3),  # the tiny release has none; that of verification.md has one
}
VERIFICATION: Steps = {"cuvee release": (Session.sign, 0)}
FLEET: Steps = {"admin info": (Session.upgrade, 0)}


@pytest.mark.parametrize(
    ("page", "steps"),
    [
        ("deploy.md", DEPLOY),
        ("administer.md", ADMINISTER),
        ("verification.md", VERIFICATION),
        ("fleet.md", FLEET),
    ],
    ids=["deploy", "administer", "verification", "fleet"],
)
def test_commands_of_the_page_work(page: str, steps: Steps, session: Session) -> None:
    if page == "verification.md" and shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    used = set()
    for command in commands(page):
        expected = 0
        for part, (before, code) in steps.items():
            if part in command and part not in used:
                before(session)
                expected = code
                used.add(part)
        if command.startswith("cuvee "):
            continue  # tests/docs holds these to cuvee itself
        done = session.run(command)
        assert done.exit_code == expected, (command, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        assert not done.stdout.endswith("failed\n"), (command, done.stdout)
    assert used == steps.keys()
    assert session.prefix.exists() == (page in {"verification.md", "fleet.md"})
