"""The page of the payload format is enough: a reader made from it writes what the installers write."""

import json
import os
import re
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from cuvee import process
from cuvee.channel.package_writer import PLACEHOLDER, PackageContent, PackageFile
from cuvee.image.settings import InstallerSettings
from cuvee.installers.pkg.build import build_pkg
from cuvee.progress import SILENT
from cuvee.runtime import failure, payload_manifest, prefix_replacement
from cuvee.runtime.payload_places import check_places
from docs_text import code_in, table
from installers.conftest import Dress
from installers.payload_containers import Container, RefusedError, read, sha256
from installers.payload_reader import Writer, check_paths, frames_of, relocated
from needed_programs import needed
from tiny_release import LICENSE, TIME, Release, settings_json

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "payload-format.md"
Tree = dict[str, tuple[str, int, int, bytes]]


def tree(prefix: Path, container: Container) -> Tree:
    """Path to type, mode, time where the format sets one, and bytes."""
    timed = {
        file[0] for frame in frames_of(container.manifest) for file in frame["files"] if file[4] == "source"
    }
    timed |= {early[0] for early in container.manifest["stage0"] if early[4] == "source"}
    found: Tree = {}
    for path in prefix.rglob("*"):
        facts = path.lstat()
        name = path.relative_to(prefix).as_posix()
        if stat.S_ISLNK(facts.st_mode):
            found[name] = ("link", 0, 0, os.fsencode(path.readlink()))
        elif stat.S_ISREG(facts.st_mode):
            time = facts.st_mtime_ns if name in timed else 0
            found[name] = ("file", stat.S_IMODE(facts.st_mode), time, path.read_bytes())
        else:
            found[name] = ("folder", stat.S_IMODE(facts.st_mode), 0, b"")
    return found


def only_installed(distribution: str) -> re.Pattern[str]:
    """Return what an installation makes besides the image's files, as the page's table lists it."""
    cells = {code for row in table(PAGE, "File") for code in code_in(row[0])}
    told = (cell.replace("<distribution>", distribution) for cell in cells)
    names = {re.escape(cell.replace("<Distribution>", distribution.capitalize())) for cell in told}
    return re.compile("|".join(f"{name}.*" if name.endswith("/") else name for name in names))


def compare(container: Container, installed: Path, folder: Path, *, prefix: Path | None = None) -> Tree:
    folder.mkdir()
    Writer(container, folder, str(prefix or installed)).write()
    theirs, ours = tree(installed, container), tree(folder, container)
    more = [path for path in theirs.keys() - ours.keys() if theirs[path][0] != "folder"]
    alone = only_installed(container.manifest["distribution"])
    assert [path for path in more if alone.fullmatch(path) is None] == []
    assert ours.items() <= theirs.items(), [path for path in ours if ours[path] != theirs.get(path)]
    return ours


@pytest.mark.real
@pytest.mark.parametrize("name", ["plain", "with spaces and ünïcödé", "long-" + "x" * 120])
def test_reader_of_the_page_writes_what_the_sh_writes(name: str, release: Release, tmp_path: Path) -> None:
    installed = tmp_path / name
    assert release.install("-b", "-p", installed).ok
    container = read(release.installer)
    assert container.manifest_sha256 == release.image.manifest_sha256
    found = compare(container, installed, tmp_path / "ours")
    hows = {file[4] for frame in frames_of(container.manifest) for file in frame["files"]}
    assert hows == {"plain", "source", "text", "binary", "piece", "record"}
    assert found["lib/link"] == ("link", 0, 0, b"../etc/place.conf")


@pytest.mark.real
def test_reader_of_the_page_writes_what_the_pkg_writes(release: Release, tmp_path: Path) -> None:
    image = replace(release.image, platform="osx-arm64", floor={"__osx": "11.0"})
    package = build_pkg(
        image, identifier="org.example.tiny", license_text=LICENSE, welcome_text="",
        target=tmp_path / "Tiny.pkg", reporter=SILENT,
    )  # fmt: skip
    container = read(package)
    assert container.manifest_sha256 == image.manifest_sha256
    # What a Mac's Installer runs is the `.sh` in the package.
    for name in ("xar", "payload"):
        (tmp_path / name).mkdir()
    bsdtar = needed("bsdtar")
    for source, to in ((package, "xar"), (tmp_path / "xar" / "tiny.pkg" / "Payload", "payload")):
        process.run(process.Request(argv=(bsdtar, "-xf", str(source)), cwd=tmp_path / to))
    (inner,) = (tmp_path / "payload").rglob("installer.sh")
    uname = tmp_path / "bin" / "uname"
    uname.parent.mkdir()
    uname.write_text('#!/bin/sh\n[ "$1" = -s ] && echo Darwin || echo arm64\n')
    uname.chmod(0o755)
    installed = tmp_path / "tiny"
    path = {"PATH": f"{uname.parent}:{os.environ['PATH']}"}
    done = release.install("-b", "-p", installed, installer=inner, environment=path)
    assert done.ok, done.stderr
    compare(container, installed, tmp_path / "ours")


def odd(platform: str) -> PackageContent:
    """Files that hardly any package has."""
    name = "n" * 251
    files = [
        PackageFile(path=f"share/odd/{name}.txt", content=b"255 bytes"),
        PackageFile(path=f"share/{'f' * 255}/{'ä' * 127}", content=b""),
        PackageFile(path="share/odd/only prefix", content=PLACEHOLDER.encode(), placeholder=PLACEHOLDER),
        PackageFile(path="share/odd/-x ~*?[]{}$`'\"", content=b"\0"),
        PackageFile(path="share/odd/to-file", content=b"", link_target=f"{name}.txt"),
        PackageFile(path="share/odd/to-link", content=b"", link_target="to-file"),
        PackageFile(path="share/odd/to-nothing", content=b"", link_target="nowhere"),
        PackageFile(path="share/odd/to-folder", content=b"", link_target="."),
        PackageFile(path="share/odd/up", content=b"", link_target="../../bin/odd"),
        PackageFile(
            path="bin/odd", content=f"#! {PLACEHOLDER}/bin/python3.11 -I  -x".encode(),
            placeholder=PLACEHOLDER, executable=True,
        ),
        PackageFile(
            path="lib/end.bin", content=b"\x7fELF\0" + PLACEHOLDER.encode(), placeholder=PLACEHOLDER,
            placeholder_mode="binary",
        ),
        PackageFile(path="lib/exact", content=bytes(16 << 20)),
        PackageFile(path="lib/more", content=bytes((16 << 20) + 1)),
    ]  # fmt: skip
    return PackageContent(
        name="odd", version="1!2.0+local", build="h_0", subdir=platform, timestamp=TIME, depends=("python",),
        files=tuple(files),
    )  # fmt: skip


@pytest.mark.real
def test_odd_images(dress: Dress, release: Release, tmp_path: Path) -> None:
    entry = PackageContent(
        name="entries", version="1", build="py_0", subdir="noarch", noarch="python", timestamp=TIME,
        depends=("python",), entry_points=("entry.point-1_x = entries:main", "e=entries:A.b"),
        files=(
            PackageFile(path="site-packages/entries/__init__.py", content=b"def main(): pass\n"),
            PackageFile(path="site-packages/entries/empty.py", content=b""),
        ),
    )  # fmt: skip
    made = dress(InstallerSettings(condarc="channels: [x]\n"), odd(release.lock.platform), entry)
    installed = tmp_path / "ein Ort"
    done = made.install("-b", "-p", installed)
    assert done.ok, done.stderr
    found = compare(read(made.installer), installed, tmp_path / "ours")
    assert found[".condarc"][3] == b"channels: [x]\n"
    assert found["lib/more"][3] == bytes((16 << 20) + 1)
    assert found["share/odd/to-link"][3] == b"to-file"
    assert found["bin/entry.point-1_x"][3].startswith(b"#!/bin/sh\n'''exec' \"")


@pytest.mark.real
def test_reader_of_the_page_refuses_what_is_damaged(release: Release, tmp_path: Path) -> None:
    data = bytearray(release.installer.read_bytes())
    copy = tmp_path / "copy.sh"
    for place in (30, len(data) // 3, len(data) - 1):
        data[place] ^= 1
        copy.write_bytes(data)
        with pytest.raises(RefusedError):
            read(copy)
        data[place] ^= 1
    container = read(release.installer)
    payload = bytearray(container.payload)
    payload[-1] ^= 1
    (tmp_path / "ours").mkdir()
    with pytest.raises(RefusedError, match="frame"):
        Writer(replace(container, payload=memoryview(payload)), tmp_path / "ours", "/x").write()


OLD = "/opt/old" + "_o" * 20
LINE = st.sampled_from(
    [OLD, "/bin/", "python3.11", "python", "perl", "#!", " ", "\t", "\r", "\n", "\\ ", "\0", "x" * 60]
)


@given(
    parts=st.lists(LINE, max_size=9),
    head=st.sampled_from(["", "#!", f"#!{OLD}/bin/", f"#! {OLD}/"]),
    how=st.sampled_from(["text", "binary"]),
    prefix=st.sampled_from(["/p", "/a b/ü", "/" + "l" * 44]),
    system=st.sampled_from(["linux", "osx", "win"]),
)
@example(parts=["python"], head=f"#!{OLD}/bin/", how="text", prefix="/a b", system="linux")
def test_the_pages_rules_of_relocation_are_the_runtimes(
    parts: list[str], head: str, how: str, prefix: str, system: str
) -> None:
    data = (head + "".join(parts)).encode()
    prefix = prefix.replace("/", "\\") if system == "win" else prefix
    expected = prefix_replacement.replace_prefix(data, how, OLD, prefix.encode(), system)
    assert relocated(data, how, OLD, prefix, system) == expected


EMPTY: dict[str, Any] = {
    "format": 2, "distribution": "tiny", "version": "1", "title": "Tiny", "platform": "linux-64",
    "interpreter": "bin/python3.11", "raw_size": 1, "source_time": 0, "prefix_limit": None, "requested": [],
    "stage0_sha256": "", "key": None, "settings": settings_json(InstallerSettings()), "extras": [],
    "records": [],
}  # fmt: skip
PART = st.sampled_from(["a", "b", "..", ".", "", "a\\b", "c:", "…", " ", "\n", "~", "...", "a."])
PLACE = st.lists(PART, max_size=3).map("/".join)


@given(
    folders=st.lists(PLACE, max_size=4),
    path=PLACE,
    link=PLACE,
    target=PLACE,
    more=st.lists(st.tuples(PLACE, PLACE), max_size=3),
    span=st.tuples(st.integers(-1, 3), st.integers(-1, 3)),
)
@example(folders=["a"], path="a/b", link="a/a", target="../b", more=[], span=(0, 1))
@example(folders=[], path="a", link="a", target="", more=[], span=(0, 0))
@example(folders=["a/b", "a"], path="a/b", link="a/a", target="../b", more=[], span=(0, 1))
@example(folders=["a"], path="x", link="a/b", target="..", more=[("e", "a/b/../x")], span=(0, 1))
@example(folders=["a"], path="x", link="a/b", target="b", more=[("e", "a/b/../../x")], span=(0, 1))
def test_both_refuse_the_same_manifests(
    *,
    folders: list[str],
    path: str,
    link: str,
    target: str,
    more: list[tuple[str, str]],
    span: tuple[int, int],
) -> None:
    frame = {"offset": 0, "size": 1, "raw": 2, "sha256": "", "files": [[path, 0o644, *span, "plain", ""]]}
    package = {"name": "a", "version": "1", "build": "0", "subdir": "noarch", "sha256": "", "frames": [frame]}
    links = [[link, target], *map(list, more)]
    value = EMPTY | {"folders": folders, "stage0": [], "packages": [package | {"links": links}]}
    text = json.dumps(value).encode()
    packed = zstandard.ZstdCompressor().compress(text)

    def accepts(check: Any, *arguments: Any) -> bool:
        try:
            check(*arguments)
        except (RefusedError, failure.InstallError):
            return False
        return True

    def load() -> None:
        check_places(payload_manifest.load(packed, len(text), sha256(packed)))

    assert accepts(check_paths, value) == accepts(load)


@pytest.mark.real
def test_free_space_is_asked_for_what_a_prefix_takes(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    blocks = sum(path.lstat().st_blocks for path in prefix.rglob("*")) * 512
    stated = re.search(rb"^NEEDED_KB=(\d+)$", release.installer.read_bytes()[:65536], re.MULTILINE)
    assert stated is not None
    # 50 MB of it are a reserve.
    assert blocks < (int(stated[1]) - 50 * 1024) * 1024 * 1.05
