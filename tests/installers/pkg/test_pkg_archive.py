"""The outer archive, and what other programs make of it and of what is inside."""

import io
import os
from pathlib import Path

import pytest

from cuvee import process
from cuvee.errors import IntegrityError
from cuvee.installers.pkg.bom import bom
from cuvee.installers.pkg.cpio import cpio
from cuvee.installers.pkg.payload_entries import ROOT, file_entry, folder_entry
from cuvee.installers.pkg.stored_streams import gzip_stored
from cuvee.installers.pkg.xar import XarFile, XarFolder, write_xar
from installers.pkg.readers import read_bom, read_xar, walk
from needed_programs import HANGING, needed

HOSTILE = "a & <b> \"c\" 'd' ü"


def run(*argv: str | Path, cwd: Path | None = None) -> str:
    done = process.run(process.Request(argv=tuple(map(str, argv)), cwd=cwd, timeout=HANGING))
    assert done.ok, f"{done.request.line}\n{done.stdout}{done.stderr}"
    return done.stdout


def small(content: bytes) -> XarFile:
    return XarFile(name=HOSTILE, chunks=lambda: [content[:2], content[2:]], mode=0o600)


def archive() -> bytes:
    stream = io.BytesIO()
    inner = XarFile(name="inner", chunks=lambda: [b"12", b"345"])
    write_xar([XarFolder(name="folder", members=(inner, small(b"other"))), small(b"")], stream)
    return stream.getvalue()


def test_members_come_back() -> None:
    root, files = read_xar(archive())
    assert files == {"folder/inner": b"12345", f"folder/{HOSTILE}": b"other", HOSTILE: b""}
    found = [(path, element.get("id"), element.findtext("mode")) for path, element in walk(root)]
    assert found == [
        ("folder", "1", "0700"),
        ("folder/inner", "2", "0644"),
        (f"folder/{HOSTILE}", "3", "0600"),
        (HOSTILE, "4", "0600"),
    ]
    assert archive() == archive()


def test_a_member_that_changes_is_noticed() -> None:
    contents = iter([[b"one"], [b"two"]])
    with pytest.raises(IntegrityError, match="changed while"):
        write_xar([XarFile(name="a", chunks=lambda: next(contents))], io.BytesIO())


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "some.xar"
    path.write_bytes(archive())
    return path


@pytest.mark.real
def test_bsdtar_reads_the_archive(written: Path, tmp_path: Path) -> None:
    bsdtar = needed("bsdtar")
    out = tmp_path / "out"
    out.mkdir()
    run(bsdtar, "-xf", written, cwd=out)
    assert (out / "folder" / "inner").read_bytes() == b"12345"
    assert (out / "folder" / HOSTILE).read_bytes() == b"other"
    assert (out / HOSTILE).read_bytes() == b""
    data = bytearray(written.read_bytes())
    data[-1] ^= 1
    written.write_bytes(data)
    done = process.run(process.Request(argv=(bsdtar, "-xf", str(written)), cwd=out))
    assert not done.ok


@pytest.mark.real
def test_7z_reads_the_archive(written: Path, tmp_path: Path) -> None:
    program = needed("7z")
    assert "Everything is Ok" in run(program, "t", written)
    run(program, "x", f"-o{tmp_path / 'out'}", written)
    assert (tmp_path / "out" / "folder" / "inner").read_bytes() == b"12345"
    data = bytearray(written.read_bytes())
    data[-1] ^= 1
    written.write_bytes(data)
    assert not process.run(process.Request(argv=(program, "t", str(written)))).ok


@pytest.mark.real
def test_bsdtar_unpacks_a_payload(tmp_path: Path) -> None:
    bsdtar = needed("bsdtar")
    large = tmp_path / "large"
    large.write_bytes(os.urandom(3 << 20))
    entries = [
        folder_entry(ROOT),
        folder_entry("d"),
        file_entry("d/ü b", b"abc", executable=True),
        file_entry("large", large),
    ]
    payload = tmp_path / "Payload"
    payload.write_bytes(b"".join(gzip_stored(cpio(entries))))
    out = tmp_path / "out"
    out.mkdir()
    run(bsdtar, "-xpf", payload, cwd=out)
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))
    assert names == ["d", "d/ü b", "large"]
    assert (out / "large").read_bytes() == large.read_bytes()
    assert (out / "d" / "ü b").stat().st_mode & 0o777 == 0o755


@pytest.mark.real
def test_checksums_are_those_of_cksum(tmp_path: Path) -> None:
    contents = [b"", b"a", bytes(range(256)) * 300, os.urandom(2_500_000)]
    entries = [folder_entry(ROOT)]
    for number, content in enumerate(contents):
        path = tmp_path / f"f{number}"
        path.write_bytes(content)
        entries.append(file_entry(path.name, path))
    paths = read_bom(bom(entries)).full()
    for number in range(len(contents)):
        check, size, _ = run("cksum", tmp_path / f"f{number}").split(" ", 2)
        found = paths[f"./f{number}"]
        assert (found.checksum, found.size) == (int(check), int(size))
