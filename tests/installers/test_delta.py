"""Deltas, for real: the release they make is that of a whole installer, or nothing happens."""

import gzip
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cuvee import process
from cuvee.cli.delta import command
from cuvee.errors import IntegrityError, UsageError
from cuvee.image.settings import InstallerSettings
from cuvee.installers.delta_installer import MadeDelta, make_delta
from cuvee.installers.sh import build_sh
from cuvee.installers.whole_installer import read_installer
from cuvee.progress import SILENT
from cuvee.runtime.prefix_state import load
from cuvee.runtime.verify import verify
from cuvee.trust.keys import SigningKey
from tiny_release import LICENSE, Release, build

from .conftest import Dress

pytestmark = pytest.mark.real


def made(old: Path, new: Path, folder: Path) -> MadeDelta:
    return make_delta(read_installer(old), read_installer(new), folder=folder, reporter=SILENT)


@pytest.fixture(scope="module")
def delta(release: Release, newer: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(release.installer, newer.installer, tmp_path_factory.mktemp("delta")).path


def tree(prefix: Path) -> dict[str, tuple[int, bytes, int | None]]:
    """Path to mode, content and, of a source with byte code, its time; without logs."""
    found = {}
    sources = {path.parent.parent / f"{path.name.partition('.')[0]}.py" for path in prefix.rglob("*.pyc")}
    for path in sorted(prefix.rglob("*")):
        name = str(path.relative_to(prefix))
        if name.startswith(("conda-meta/cuvee/log", "conda-meta/cuvee/state", "conda-meta/history")):
            continue
        status = path.lstat()
        content = b"" if path.is_dir() else path.read_bytes()
        content = os.fsencode(path.readlink()) if path.is_symlink() else content
        found[name] = (status.st_mode, content, int(status.st_mtime) if path in sources else None)
    return found


def state(prefix: Path) -> dict[str, object]:
    value = json.loads((prefix / "conda-meta/cuvee/state.json").read_text())
    return {key: item for key, item in value.items() if key != "installed"}


def admin(prefix: Path, *arguments: str | Path) -> process.Completed:
    argv = (str(prefix / "bin" / "tiny-admin"), *map(str, arguments))
    return process.run(process.Request(argv=argv, environment={"PATH": os.environ["PATH"]}))


def version(prefix: Path) -> str:
    return str(json.loads((prefix / "conda-meta" / "cuvee" / "release.json").read_text())["version"])


def test_the_prefix_is_that_of_a_whole_installer(
    release: Release, newer: Release, delta: Path, tmp_path: Path
) -> None:
    prefix = tmp_path / "prefix"
    assert newer.install("-b", "-p", prefix).ok
    fresh = tree(prefix)
    shutil.rmtree(prefix)
    assert release.install("-b", "-p", prefix).ok
    assert newer.install("-b", "-u", "-p", prefix, "--no-keep").ok
    upgraded, state_of_upgraded = tree(prefix), state(prefix)
    shutil.rmtree(prefix)
    assert release.install("-b", "-p", prefix).ok
    before = tree(prefix)
    done = release.install("-b", "-p", prefix, installer=delta)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "2026.11.0 was upgraded to 2026.11.1" in done.stdout
    assert tree(prefix) == fresh == upgraded
    assert state(prefix) == state_of_upgraded
    assert json.loads(admin(prefix, "verify", "--json").stdout)["good"]
    assert delta.stat().st_size * 20 < newer.installer.stat().st_size
    assert admin(prefix, "rollback").ok
    assert tree(prefix) == before


def upgrade(release: Release, delta: Path, prefix: Path, *options: str) -> process.Completed:
    return release.install("-b", *options, "-p", prefix, installer=delta)


def test_the_same_two_give_the_same_delta(
    release: Release, newer: Release, delta: Path, tmp_path: Path
) -> None:
    again = made(release.installer, newer.installer, tmp_path)
    assert again.path.read_bytes() == delta.read_bytes()
    assert again.path.name == delta.name
    assert again.path.name.startswith("Tiny-2026.11.0-to-2026.11.1-Linux-")


def test_the_command(release: Release, newer: Release, delta: Path, tmp_path: Path) -> None:
    sides = (str(release.installer), str(newer.installer))
    done = CliRunner().invoke(command, [*sides, "-q", "--json", "-o", str(tmp_path)])
    assert (done.exit_code, done.stderr) == (0, "")
    (found,) = json.loads(done.stdout)["deltas"]
    path = Path(found["path"])
    assert path.read_bytes() == delta.read_bytes()
    assert found["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found["old"], found["new"]) == ("2026.11.0", "2026.11.1")
    assert found["files"]["changes"] > 0
    for wrong in (["--platform", "win-64", *sides], [str(tmp_path), sides[1]]):
        with pytest.raises(UsageError):
            CliRunner().invoke(command, wrong, catch_exceptions=False)


def test_what_cannot_be_made(release: Release, newer: Release, delta: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to upgrade"):
        made(newer.installer, newer.installer, tmp_path)
    with pytest.raises(UsageError, match="is a delta"):
        made(release.installer, delta, tmp_path)
    with pytest.raises(UsageError, match="no installer that cuvee has made"):
        made(Path(__file__), newer.installer, tmp_path)
    damaged = tmp_path / "damaged.sh"
    data = bytearray(newer.installer.read_bytes())
    data[-1] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(IntegrityError, match="is damaged"):
        made(release.installer, damaged, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.sh"]


def test_other_bases_are_refused(
    release: Release, newer: Release, delta: Path, dress: Dress, tmp_path: Path
) -> None:
    nothing = upgrade(release, delta, tmp_path / "nothing")
    assert (nothing.exit_code, "no release" in nothing.stderr) == (1, True), nothing
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "mine").write_text("mine")
    refused = upgrade(release, delta, foreign)
    assert (refused.exit_code, "no release" in refused.stderr) == (1, True), refused
    prefix = tmp_path / "prefix"
    assert dress(InstallerSettings(register_python=False)).install("-b", "-p", prefix).ok
    before = tree(prefix)
    for options in ((), ("-f",), ("--dry-run",)):
        other = upgrade(release, delta, prefix, *options)
        assert other.exit_code == 1
        assert "This delta upgrades Tiny & Sons 2026.11.0 to 2026.11.1" in other.stderr
        assert "2026.11.0 as it was cut another time" in other.stderr
        assert "Use the whole installer of Tiny & Sons 2026.11.1." in other.stderr
    assert tree(prefix) == before
    assert newer.install("-b", "-u", "-p", prefix, "--no-keep").ok
    assert "is installed already" in upgrade(release, delta, prefix).stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign", "prefix"]


def test_moved_prefixes_are_refused(release: Release, delta: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    moved = prefix.rename(tmp_path / "moved")
    refused = upgrade(release, delta, moved)
    assert (refused.exit_code, "was moved or copied" in refused.stderr) == (1, True), refused
    assert version(moved) == "2026.11.0"


def test_changed_files_of_the_base(release: Release, newer: Release, delta: Path, tmp_path: Path) -> None:
    """What the delta builds on must be as it was; what it has whole may be changed, as in any upgrade."""
    prefix = tmp_path / "prefix"
    assert newer.install("-b", "-p", prefix).ok
    fresh = tree(prefix)
    shutil.rmtree(prefix)
    assert release.install("-b", "-p", prefix).ok
    noise, conf = prefix / "lib" / "noise", prefix / "etc" / "place.conf"
    data = noise.read_bytes()
    noise.write_bytes(data[:-1] + b"X")
    text = conf.read_bytes()
    conf.unlink()
    (data_file,) = prefix.rglob("tools/data.txt")
    data_file.write_bytes(b"mine")
    refused = upgrade(release, delta, prefix)
    assert refused.exit_code == 5
    assert "2 files that this delta builds on were changed since they were installed: " in refused.stderr
    assert "installed: etc/place.conf (missing), lib/noise. Repair" in refused.stderr
    assert version(prefix) == "2026.11.0"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prefix"]
    noise.write_bytes(data)
    conf.write_bytes(text)
    conf.chmod(0o600)
    os.utime(noise, (1, 1))
    done = upgrade(release, delta, prefix)
    assert done.ok, done.stderr
    saved = f"cuvee-saved/2026.11.0/{data_file.relative_to(prefix)}"
    assert (prefix / saved).read_bytes() == b"mine"
    now = {name: item for name, item in tree(prefix).items() if not name.startswith("cuvee-saved")}
    assert now == fresh
    assert (tmp_path / ".prefix.cuvee-kept" / "etc" / "place.conf").stat().st_mode & 0o777 == 0o600


def test_only_upgrades(release: Release, newer: Release, delta: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix, "-k").ok
    plan = json.loads(upgrade(release, delta, prefix, "--dry-run", "--json").stdout)
    assert (plan["action"], plan["before"], plan["version"]) == ("upgrade", "2026.11.0", "2026.11.1")
    assert json.loads(upgrade(release, delta, prefix, "--info", "--json").stdout)["version"] == "2026.11.1"
    whole = ("--check", "--repair", "--uninstall", "--licenses", "--sbom", "--extract=x", "-k", "--share=x")
    for option in whole:
        refused = upgrade(release, delta, prefix, option)
        assert (refused.exit_code, refused.stdout) == (2, ""), option
    assert release.install("-h", installer=delta).stdout.startswith("usage: sh Tiny-2026.11.0-to-2026.11.1")
    done = upgrade(release, delta, prefix)
    assert "No installer is kept for repairs any more" in done.stdout
    assert not (prefix / "conda-meta/cuvee/installer.sh").exists()
    assert (tmp_path / ".prefix.cuvee-kept/conda-meta/cuvee/installer.sh").exists()
    good = tree(prefix)
    (prefix / "lib" / "noise").unlink()
    alone = admin(prefix, "repair")
    assert (alone.exit_code, "none is kept here" in alone.stderr) == (2, True), alone
    refused = admin(prefix, "repair", "--from", delta)
    assert (refused.exit_code, "for repair use its whole installer" in refused.stderr) == (2, True), refused
    assert admin(prefix, "repair", "--from", newer.installer).ok
    assert tree(prefix) == good


def test_damaged_deltas(release: Release, newer: Release, delta: Path, tmp_path: Path) -> None:
    """Whatever is flipped or cut off, even if its hash is made right, the release is one or the other."""
    prefix, bad = tmp_path / "prefix", tmp_path / "bad.sh"
    assert newer.install("-b", "-p", prefix).ok
    fresh, ended = tree(prefix), 0
    shutil.rmtree(prefix)
    assert release.install("-b", "-p", prefix).ok
    before, whole = tree(prefix), delta.read_bytes()
    for cut in (100, len(whole) // 2, len(whole) - 1):
        bad.write_bytes(whole[:cut])
        refused = upgrade(release, bad, prefix)
        assert not refused.ok, cut
    header = int(re.search(rb"HEADER_BYTES=(\d+)", whole)[1])  # type: ignore[index]
    stage0 = int(re.search(rb"STAGE0_BYTES=(\d+)", whole)[1])  # type: ignore[index]
    manifest = int(re.search(rb"MANIFEST_BYTES=(\d+)", whole)[1])  # type: ignore[index]
    payload = header + stage0 + manifest
    places = random.Random(7).sample(range(payload, len(whole)), 12)  # noqa: S311 - the same each time
    for place in [header + stage0 + 9, payload, payload + 17, payload + 97, *places]:
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        bad.write_bytes(with_digest(bytes(data)))
        refused = upgrade(release, bad, prefix)
        assert refused.exit_code in {0, 1, 5}, (place - payload, refused)
        assert "This should not happen" not in refused.stderr
        if refused.ok:  # the index may describe the same files in other ways
            ended += 1
            assert tree(prefix) == fresh
            assert admin(prefix, "rollback").ok
            assert admin(prefix, "clean").ok
    assert ended < 3
    assert tree(prefix) == before
    bad.unlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prefix"]


def with_digest(data: bytes) -> bytes:
    """Let a delta that was changed agree with itself again, as anybody can."""
    line = re.compile(rb"^DIGEST=[0-9a-f]{64}\n", re.MULTILINE)
    digest = hashlib.sha256(line.sub(b"", data, count=1)).hexdigest()
    return line.sub(f"DIGEST={digest}\n".encode(), data, count=1)


DYING = f"""
import os, signal, sys
left, target, installer = int(sys.argv.pop(1)), sys.argv.pop(1), os.getpid()
def dying(function):
    def call(*arguments, **named):
        global left
        left -= 1
        if left < 0 and (target == "installer" or os.getpid() != installer):
            os.kill(installer if target == "installer" else os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return call
for name in ("link", "mkdir", "rename", "symlink", "open"):
    setattr(os, name, dying(getattr(os, name)))
package = type(sys)("runtime")
package.__path__ = [{str(Path(load.__code__.co_filename).parent)!r}]
sys.modules["runtime"] = package
from runtime.command_line import main
sys.exit(main(sys.argv[1:]))
"""


def upgrade_and_kill(count: int, target: str, delta: Path, prefix: Path) -> int:
    """Upgrade; kill ``target`` when it or a child has changed or opened something ``count`` times."""
    argv = [str(prefix / "bin/python"), "-I", "-S", "-B", "-c", DYING, str(count), target]
    done = subprocess.run([*argv, *arguments(delta, prefix)], capture_output=True, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode


def test_killed_at_any_moment(release: Release, delta: Path, tmp_path: Path) -> None:
    """Counted in system calls that change folders, not in time: no moment is missed on a slow machine."""
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    (prefix / "mine").write_text("mine")
    seen = set()
    for count in (1, 300, 600, 900, 1500, 2100, 40_000):
        if version(prefix) == "2026.11.1":
            assert admin(prefix, "rollback").ok
        code = upgrade_and_kill(count, "installer", delta, prefix)
        installed = load(str(prefix))
        found = verify(installed)
        assert (found.changed, found.missing, found.modes, found.unknown) == ([], [], [], ["mine"])
        assert (prefix / "mine").read_text() == "mine"
        seen.add((code, installed.manifest.version))
    assert (-signal.SIGKILL, "2026.11.0") in seen
    assert (0, "2026.11.1") in seen
    assert sorted(path.name for path in tmp_path.iterdir()) == [".prefix.cuvee-kept", "prefix"]


def test_killed_children(release: Release, newer: Release, delta: Path, tmp_path: Path) -> None:
    """What a child had linked before it was killed is linked again by the installer."""
    prefix, whole = tmp_path / "prefix", tmp_path / "whole"
    assert release.install("-b", "-p", prefix).ok
    assert upgrade_and_kill(900, "child", delta, prefix) == 0
    assert newer.install("-b", "-p", whole).ok
    assert verify(load(str(prefix))).good
    assert tree(prefix).keys() == tree(whole).keys()


def arguments(delta: Path, prefix: Path) -> list[str]:
    """Return what the shell text of a delta passes to the runtime, once it has unpacked that."""
    head = delta.read_bytes()
    number = {
        name.decode(): value.decode() for name, value in re.findall(rb"^(\w+)=(\w+)$", head, re.MULTILINE)
    }
    staged = prefix.parent / f".{prefix.name}.cuvee-{os.getpid()}.partial"
    shutil.rmtree(staged, ignore_errors=True)
    (staged / ".cuvee").mkdir(parents=True)
    header, stage0 = int(number["HEADER_BYTES"]), int(number["STAGE0_BYTES"])
    archive = staged / "stage0"
    archive.write_bytes(head[header : header + stage0])
    subprocess.run(["/bin/tar", "-xzf", archive, "-C", staged], check=True)
    archive.unlink()
    places = [str(delta), str(staged), str(prefix), str(prefix.parent), number["DIGEST"]]
    manifest = [number[name] for name in ("MANIFEST_BYTES", "MANIFEST_RAW", "MANIFEST_SHA256")]
    return ["install", *places, str(header + stage0), *manifest, "--replace", "--batch"]


def test_a_full_disk(release: Release, delta: Path, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("needs root, to mount a tmpfs")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = process.run(
        process.Request(
            argv=(
                "mount",
                "-t",
                "tmpfs",
                "-o",
                f"size={release.image.size_on_disk + (90 << 20)}",
                "x",
                str(disk),
            )
        )
    )
    if not mounted.ok:
        pytest.skip(f"needs to mount a tmpfs: {mounted.stderr}")
    try:
        prefix = disk / "prefix"
        assert release.install("-b", "-p", prefix).ok
        before, then = tree(prefix), os.statvfs(disk)
        filler = disk / "filler"
        filler.write_bytes(bytes(then.f_bavail * then.f_frsize - (2 << 20)))
        refused = upgrade(release, delta, prefix)
        assert (refused.exit_code, "MB are free" in refused.stderr) == (1, True), refused
        assert tree(prefix) == before
        assert sorted(path.name for path in disk.iterdir()) == ["filler", "prefix"]
        filler.unlink()
        assert upgrade(release, delta, prefix).ok
    finally:
        process.run(process.Request(argv=("umount", "-l", str(disk))))


def signed(release: Release, folder: Path, version: str, seed: int) -> Path:
    key = folder / f"{seed}.pem"
    folder.mkdir()
    private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    key.touch(0o600)
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    image = build(
        release.lock,
        release.archives,
        release.requested,
        folder=folder / "image",
        cache=release.cache,
        version=version,
        signer=SigningKey.read(key),
    )
    return build_sh(image, license_text=LICENSE, target=folder / "Tiny.sh", reporter=SILENT)


def test_a_signed_release_judges_its_delta(release: Release, newer: Release, tmp_path: Path) -> None:
    old, new = signed(release, tmp_path / "a", "2026.11.0", 1), signed(newer, tmp_path / "b", "2026.11.1", 1)
    foreign = signed(newer, tmp_path / "c", "2026.11.1", 2)
    good = made(old, new, tmp_path / "d").path
    prefix = tmp_path / "e" / "prefix"
    assert release.install("-b", "-p", prefix, installer=old).ok
    before = tree(prefix)
    stranger = admin(prefix, "upgrade", made(old, foreign, tmp_path / "f").path)
    assert (stranger.exit_code, "was signed by" in stranger.stderr) == (5, True), stranger
    whole = good.read_bytes()
    marker = tmp_path / "ran"
    other = spoilt_runtime(whole, f"open({str(marker)!r}, 'w')")
    for data, words in (
        (other, "The program in the delta"),
        (whole.replace(b"cuvee-delta-1\0\0\0", b"cuvee-delta-2\0\0\0"), "signature"),
    ):
        bad = tmp_path / "bad.sh"
        bad.write_bytes(with_digest(data))
        refused = admin(prefix, "upgrade", bad)
        assert (refused.exit_code, words in refused.stderr) == (5, True), refused
        assert not marker.exists()
    assert tree(prefix) == before
    done = admin(prefix, "upgrade", good)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "2026.11.0 was upgraded to 2026.11.1" in done.stdout
    assert admin(prefix, "verify").ok
    assert admin(prefix, "rollback").ok
    assert tree(prefix) == before
    assert sorted(path.name for path in prefix.parent.iterdir()) == [".prefix.cuvee-kept", "prefix"]


def spoilt_runtime(delta: bytes, line: str) -> bytes:
    """Return a delta whose program does something else first."""
    header = int(re.search(rb"HEADER_BYTES=(\d+)", delta)[1])  # type: ignore[index]
    size = int(re.search(rb"STAGE0_BYTES=(\d+)", delta)[1])  # type: ignore[index]
    stream = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(gzip.decompress(delta[header : header + size]))) as old,
        tarfile.open(fileobj=stream, mode="w") as new,
    ):
        for member in old:
            data = old.extractfile(member).read()  # type: ignore[union-attr]
            if member.name.endswith("runtime/__main__.py"):
                data = f"{line}\n".encode() + data
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    packed = gzip.compress(stream.getvalue())
    text = delta[:header].replace(b"STAGE0_BYTES=%d" % size, b"STAGE0_BYTES=%d" % len(packed))
    length = len(delta) - size + len(packed)
    text = text.replace(b"FILE_BYTES=%d" % len(delta), b"FILE_BYTES=%d" % length)
    assert len(text) == header
    return text + packed + delta[header + size :]
