"""Packages that are not noarch bring their byte code, which Python uses whoever has linked them."""

import asyncio
import csv
import io
import stat
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import rattler

from cuvee import platforms
from cuvee.byte_code.byte_compiler import ByteCompiler, running_compiler
from cuvee.byte_code.pyc_paths import pyc_path
from cuvee.channel.interpreter import pack_interpreters
from cuvee.channel.model import Interpreter
from cuvee.channel.package_writer import write_package
from cuvee.channel.wheels.convert import Conversion, convert
from cuvee.channel.wheels.wheel_archive import open_wheel
from cuvee.conda.package_info import read_info
from cuvee.files import sha256_file
from cuvee.image.archive_members import read_members
from cuvee.image.spool import Spool
from cuvee.progress import SILENT

pytestmark = pytest.mark.real

MakeWheel = Callable[..., Path]
MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
SITES = {"linux-64": f"lib/python{MINOR}/site-packages", "win-64": "Lib/site-packages"}
FILES = {
    "demo/__init__.py": b"from demo import sub\n",
    "demo/sub.py": b"def where():\n    raise RuntimeError\n",
    "demo/old.py": b"print 'Python 2'\n",
    "demo/data.txt": b"",
    "demo-1.0.data/scripts/demo-tool": b"#!python\nprint(1)\n",
    "demo-1.0.data/data/share/demo/example.py": b"x = 1\n",
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Interpreter:
    """The interpreter that runs the tests, as a package."""
    platform = platforms.host()
    if platform is None or platform.system != "linux":
        pytest.skip("needs Linux on a machine that cuvee knows")
    (found,) = pack_interpreters(
        [platform.name], cache=tmp_path_factory.mktemp("interpreter"), reporter=SILENT
    )
    assert isinstance(found, Interpreter)
    return found


@pytest.fixture
def compiler(tmp_path: Path) -> ByteCompiler:
    found = running_compiler(MINOR, tmp_path / "cache")
    assert found is not None
    return found


def package(wheel: Path, subdir: str, compiler: ByteCompiler, folder: Path) -> Path:
    """Make a package of a wheel."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    conversion = Conversion(
        wheel=wheel.name,
        sha256="0" * 64,
        subdir=subdir,
        minor=MINOR,
        depends=("python",),
        byte_code="" if subdir == "noarch" else compiler.full_version,
    )
    with open_wheel(wheel) as opened:
        content = convert(opened, conversion, scratch=scratch, launcher=b"MZ", compiler=compiler)
        return write_package(content, folder)


def members(archive: Path, folder: Path) -> dict[str, bytes]:
    with Spool(folder) as spool:
        return {member.path: member.data.read() for member in read_members(read_info(archive), spool)}


@pytest.mark.parametrize("subdir", ["linux-64", "win-64"])
def test_byte_code_is_listed_and_states_the_time_of_its_source(
    subdir: str, make_wheel: MakeWheel, compiler: ByteCompiler, tmp_path: Path
) -> None:
    wheel = make_wheel(files=FILES)
    archive = package(wheel, subdir, compiler, tmp_path / "one")
    files = members(archive, tmp_path)
    site = SITES[subdir]
    made = [pyc_path(f"{site}/demo/{name}.py", MINOR) for name in ("__init__", "sub")]
    assert sorted(path for path in files if path.endswith(".pyc")) == sorted(made)
    assert {entry.path for entry in read_info(archive).paths} == files.keys()
    for path, name in zip(made, ("__init__", "sub"), strict=True):
        source = files[f"{site}/demo/{name}.py"]
        (stated,) = {read_info(archive).index.timestamp}
        assert stated is not None
        assert struct.unpack("<III", files[path][4:16]) == (0, stated // 1000, len(source))
    rows = list(csv.reader(io.StringIO(files[f"{site}/demo-1.0.dist-info/RECORD"].decode())))
    assert {tuple(row) for row in rows if row[0].endswith(".pyc")} == {
        (path.removeprefix(f"{site}/"), "", "") for path in made
    }
    again = package(wheel, subdir, replace_cache(compiler, tmp_path), tmp_path / "two")
    assert sha256_file(again) == sha256_file(archive)


def test_sharing_byte_code_changes_no_package(
    make_wheel: MakeWheel, compiler: ByteCompiler, tmp_path: Path
) -> None:
    shared, alone = [], []
    for subdir, end in {"linux-64": b"\n", "win-64": b"\r\n"}.items():
        wheel = make_wheel(files={name: data.replace(b"\n", end) for name, data in FILES.items()})
        shared.append(package(wheel, subdir, compiler, tmp_path / "shared" / subdir))
        other = ByteCompiler(compiler.executable, tmp_path / f"cache of {subdir}")
        alone.append(package(wheel, subdir, other, tmp_path / "alone" / subdir))
    assert list(map(sha256_file, shared)) == list(map(sha256_file, alone))
    assert len(set(map(sha256_file, shared))) == 2


def replace_cache(compiler: ByteCompiler, tmp_path: Path) -> ByteCompiler:
    return ByteCompiler(compiler.executable, tmp_path / "another cache")


def test_noarch_packages_have_none(make_wheel: MakeWheel, compiler: ByteCompiler, tmp_path: Path) -> None:
    archive = package(make_wheel(files=FILES), "noarch", compiler, tmp_path / "one")
    assert not [path for path in members(archive, tmp_path) if path.endswith(".pyc")]


def test_nothing_is_compiled_in_a_prefix_that_rattler_has_linked(
    python: Interpreter, make_wheel: MakeWheel, compiler: ByteCompiler, tmp_path: Path
) -> None:
    made = package(make_wheel(files=FILES), python.platform, compiler, tmp_path / "one")
    prefix = tmp_path / "prefix"
    asyncio.run(
        rattler.install(
            [record(python.archive), record(made)],
            prefix,
            cache_dir=tmp_path / "rattler",
            show_progress=False,
            platform=rattler.Subdir(python.platform),
        )
    )
    before = set(prefix.rglob("*.pyc"))
    for path in [prefix, *prefix.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    code = "import asyncio, email.mime.text, json, unittest, xml.etree.ElementTree, demo; demo.sub.where()"
    argv = [str(prefix / "bin" / "python"), "-I", "-v", "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert f'{prefix}/lib/python{MINOR}/site-packages/demo/sub.py", line 2' in done.stderr
    loaded = [line for line in done.stderr.splitlines() if line.startswith("# code object from")]
    assert len(loaded) > 50
    assert not [line for line in loaded if ".pyc" not in line]
    assert "bytecode is stale" not in done.stderr
    assert "# wrote" not in done.stderr
    assert set(prefix.rglob("*.pyc")) == before
    for path in [prefix, *prefix.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


def record(archive: Path) -> rattler.RepoDataRecord:
    index = read_info(archive).index
    found = rattler.PackageRecord(
        index.name,
        index.version,
        rattler.BuildString(index.build),
        0,
        index.subdir or "",
        depends=list(index.depends),
        sha256=bytes.fromhex(sha256_file(archive)),
        size=archive.stat().st_size,
        python_site_packages_path=index.python_site_packages_path,
    )
    return rattler.RepoDataRecord(found, archive.name, archive.as_uri(), archive.parent.as_uri())


def test_the_whole_standard_library_is_compiled(python: Interpreter, tmp_path: Path) -> None:
    files = members(python.archive, tmp_path)
    library = f"lib/python{MINOR}/"
    sources = {path for path in files if path.startswith(library) and path.endswith(".py")}
    without = {path for path in sources if pyc_path(path, MINOR) not in files}
    placed = {entry.path for entry in read_info(python.archive).paths if entry.placeholder is not None}
    assert len(sources) > 400
    assert without <= placed
