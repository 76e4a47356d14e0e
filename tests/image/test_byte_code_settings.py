"""Where byte code comes from: `bytecode` in installer.yaml."""

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard

from cuvee.byte_code import byte_compiler
from cuvee.byte_code.byte_compiler import ByteCompiler, PythonSource, dated, matching_compiler
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_info import read_info
from cuvee.files import sha256_bytes
from cuvee.image.link_plan import plan_package
from cuvee.image.model import SOURCE_TIME, Image
from cuvee.image.packed_cache import PackedCache
from cuvee.image.packer import PackedPackage, Packer
from cuvee.image.python_paths import PythonPaths
from cuvee.image.settings import ByteCode, InstallerSettings
from cuvee.platforms import get
from heard_warnings import HeardWarnings
from small_images import DECODER, PYTHON, TOOL, build

PATHS = PythonPaths(
    platform=get("linux-64"),
    version="3.11",
    full_version="3.11.4",
    site_packages="lib/python3.11/site-packages",
)
SITE = PATHS.site_packages
TIME = 1_500_000_000


class Compiler(ByteCompiler):
    """Makes something of each source, but for one that does not compile."""

    magic = "a7"

    def __init__(self, full_version: str = "3.11.4") -> None:
        self.full_version = full_version

    def compile(self, sources: Sequence[PythonSource], *, time: int) -> list[bytes | None]:
        return [None if source.name == "bad.py" else dated(made(source.name), time) for source in sources]


def made(name: str) -> bytes:
    return struct.pack("<4sIII", b"\xa7", 0, 0, 5) + name.encode()


def brought(name: str) -> PackageFile:
    """Byte code as a package brings it, made by another compiler."""
    data = struct.pack("<4sIII", b"\xa7", 0, TIME, 5) + b"of the package"
    return PackageFile(path=PATHS.pyc_path(f"{SITE}/{name}"), content=data, executable=name == "a.py")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    names = ("a.py", "bad.py", "early.py", "new.py", "worse/bad.py")
    files = [PackageFile(path=f"{SITE}/{name}", content=b"x = 1") for name in names]
    files += [brought("a.py"), brought("bad.py"), brought("early.py")]
    alone = PackageFile(path=f"{SITE}/alone.pyc", content=b"without a source")
    content = PackageContent(
        name="one", version="1", build="0", subdir="linux-64", timestamp=0, files=(*files, alone)
    )
    return write_package(content, tmp_path)


def pack(archive: Path, byte_code: ByteCode) -> tuple[Packer, PackedPackage]:
    info = read_info(archive)
    packer = Packer(
        python=PATHS, stage0={f"{SITE}/early.py"}, compiler=Compiler(), cache=archive.parent / "cache",
        level=1, byte_code=byte_code,
    )  # fmt: skip
    return packer, packer.pack(info, plan_package(info, PATHS, launcher=None))


def contents(packed: PackedPackage) -> dict[str, bytes]:
    """What is in the frames, by path below site-packages."""
    found = {}
    for frame in packed.frames:
        raw = zstandard.ZstdDecompressor().decompress(frame.file.read_bytes())
        for path, _, start, size, *_ in frame.entries:
            found[path.removeprefix(f"{SITE}/")] = raw[start : start + size]
    return found


def record(packed: PackedPackage) -> dict[str, dict[str, object]]:
    paths = json.loads(f"{{{packed.files.record}}}")["paths_data"]["paths"]
    return {line["_path"].removeprefix(f"{SITE}/"): line for line in paths}


PYC = "__pycache__/{}.cpython-311.pyc"


def test_the_installer_has_byte_code(archive: Path) -> None:
    _, packed = pack(archive, ByteCode.INSTALLER)
    assert packed.compiled == ()
    found = contents(packed)
    assert found[PYC.format("a")].endswith(b"of the package")
    assert found[PYC.format("new")] == dated(made("new.py"), SOURCE_TIME)


def test_the_desktop_makes_what_compiles(archive: Path) -> None:
    packer, packed = pack(archive, ByteCode.DESKTOP)
    expected = {PYC.format("a"): (0o755, TIME), PYC.format("new"): (0o644, SOURCE_TIME)}
    expected["worse/__pycache__/bad.cpython-311.pyc"] = (0o644, SOURCE_TIME)
    bytes_of = {}
    for path, mode, size, sha256 in packed.compiled:
        name = path.removeprefix(f"{SITE}/")
        wanted_mode, time = expected.pop(name)
        source = name.replace("__pycache__/", "").replace(".cpython-311.pyc", ".py")
        data = dated(made(source), time)
        assert data is not None
        assert (mode & 0o111, size, sha256) == (wanted_mode & 0o111, len(data), sha256_bytes(data))
        bytes_of[name] = sha256
    assert not expected
    found = contents(packed)
    # What does not compile here stays as the package brings it, and stage 0 has its own.
    assert sorted(found) == [
        PYC.format("bad"), "a.py", "alone.pyc", "bad.py", "new.py", "worse/bad.py"
    ]  # fmt: skip
    early = {file.path.removeprefix(f"{SITE}/") for file, _ in packed.stage0}
    assert early == {"early.py", PYC.format("early")}
    lines = record(packed)
    for name, sha256 in bytes_of.items():
        assert lines[name]["sha256"] == sha256
    assert lines[PYC.format("a")]["sha256_in_prefix"] == bytes_of[PYC.format("a")]
    hows = {entry[0]: entry[4:5] + entry[6:] for frame in packed.frames for entry in frame.entries}
    assert hows[f"{SITE}/a.py"] == ("source", TIME)
    assert hows[f"{SITE}/new.py"] == ("source",)
    kept = PackedCache.of(packer)
    kept.save(archive.parent / "entry", packed)
    loaded = kept.load(archive.parent / "entry")
    assert loaded is not None
    assert loaded.compiled == packed.compiled
    assert PackedCache.of(replace(packer, byte_code=ByteCode.INSTALLER)).shared != kept.shared


def test_nobody_makes_it(archive: Path) -> None:
    _, packed = pack(archive, ByteCode.NONE)
    assert packed.compiled == ()
    assert sorted(contents(packed)) == ["a.py", "alone.pyc", "bad.py", "new.py", "worse/bad.py"]
    early = {file.path.removeprefix(f"{SITE}/") for file, _ in packed.stage0}
    assert early == {"early.py", PYC.format("early")}
    assert [name for name in record(packed) if name.endswith(".pyc")] == [PYC.format("early"), "alone.pyc"]


def test_another_python_cannot_say_what_desktops_make(tmp_path: Path) -> None:
    heard = HeardWarnings()
    settings = InstallerSettings(bytecode=ByteCode.DESKTOP)
    image = build(tmp_path, PYTHON, DECODER, TOOL, compiler=Compiler(), reporter=heard, settings=settings)
    assert Image.load(image.folder).settings.bytecode is ByteCode.INSTALLER
    (line,) = heard.lines
    assert line.startswith(
        "win-64: the installer has byte code, although installer.yaml leaves it to the desktop"
    )
    assert "only Python 3.11.9 compiles as the release does, and here is 3.11.4" in line
    same = build(
        tmp_path, PYTHON, DECODER, TOOL, compiler=Compiler("3.11.9"), reporter=heard, settings=settings
    )
    assert same.settings.bytecode is ByteCode.DESKTOP
    assert len(heard.lines) == 1


def test_the_search_path_may_have_that_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Found(Compiler):
        def __init__(self, executable: Path, *_: object) -> None:
            super().__init__("3.11.9" if executable.parent == tmp_path else "3.11.4")
            self.executable = executable

    monkeypatch.setattr(byte_compiler, "ByteCompiler", Found)
    monkeypatch.setenv("PATH", f"/nowhere:{tmp_path}")
    assert matching_compiler("3.11.9", tmp_path) is None
    program = tmp_path / "python3.11"
    program.write_text("")
    program.chmod(0o755)
    found = matching_compiler("3.11.9", tmp_path)
    assert found is not None
    assert found.executable == program
    assert matching_compiler("3.11.8", tmp_path) is None
