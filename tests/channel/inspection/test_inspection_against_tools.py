"""What we read of programs and libraries, against what binutils and LLVM read."""

import os
import re
import site
import sys
from pathlib import Path

import pytest

from cuvee import process
from cuvee.channel.inspection.binary_reader import format_of, read_binary
from cuvee.channel.inspection.model import Binary
from needed_programs import HANGING, needed

pytestmark = pytest.mark.real

_MACHINES = {"Advanced Micro Devices X86-64": "x86_64", "AArch64": "aarch64", "Intel 80386": "x86"}
_MOST = 40


def said(*argv: str | Path) -> str:
    english = os.environ | {"LC_ALL": "C"}
    done = process.run(process.Request(argv=tuple(map(str, argv)), environment=english, timeout=HANGING))
    assert done.ok, done.stderr
    return done.stdout


def read(path: Path) -> Binary:
    data = path.read_bytes()
    kind = format_of(data[:8])
    assert kind is not None
    (found,) = read_binary(path.name, kind, data)
    assert found.problem is None
    return found


def shared_objects() -> list[Path]:
    """Some of this environment's libraries, and the interpreter itself."""
    found = sorted(
        path for folder in site.getsitepackages() for path in Path(folder).rglob("*.so*") if path.is_file()
    )
    return [Path(sys.executable).resolve(), *found[:: max(1, len(found) // _MOST)]]


def test_elf_files_are_read_as_readelf_does() -> None:
    readelf, versions = needed("readelf"), 0
    for path in shared_objects():
        found = read(path)
        dynamic = said(readelf, "-dW", path)
        assert found.needed == tuple(dict.fromkeys(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))), path
        assert ([found.name] if found.name else []) == re.findall(r"\(SONAME\).*\[(.*)\]", dynamic), path
        search = re.findall(r"\((RPATH|RUNPATH)\).*\[(.*)\]", dynamic)
        assert ([] if not search else search[0][1].split(":")) == list(found.search_paths), path
        assert found.is_inherited == bool(search and search[0][0] == "RPATH"), path
        machine = re.search(r"Machine:\s+(.*)", said(readelf, "-hW", path))
        assert machine is not None
        assert _MACHINES[machine[1]] == found.machine
        assert wanted(said(readelf, "-VW", path)) == {
            (w.library, w.version) for w in found.required_versions
        }, path
        versions += len(found.required_versions)
    assert versions


def wanted(text: str) -> set[tuple[str, str]]:
    found, library = set(), ""
    for line in text.partition("Version needs section")[2].splitlines():
        file = re.search(r"File: (\S+)", line)
        library = file[1] if file else library
        name = re.search(r"Name: (\S+)\s+Flags: (.*?)\s+Version", line)
        if name and "WEAK" not in name[2]:
            found.add((library, name[1]))
    return found


def test_a_library_that_is_cut_short_is_told(tmp_path: Path) -> None:
    whole = max(shared_objects(), key=lambda path: path.stat().st_size).read_bytes()
    for size in (len(whole) // 10, len(whole) // 2, len(whole) * 3 // 4):
        (found,) = read_binary("x", "elf", whole[:size])
        assert found.problem, size


@pytest.mark.parametrize(
    ("options", "search", "is_inherited", "level"),
    [
        (["-Wl,-rpath,$ORIGIN/../lib:/opt/x"], ("$ORIGIN/../lib", "/opt/x"), False, 0),
        (["-Wl,--disable-new-dtags,-rpath,/a"], ("/a",), True, 0),
        (["-Wl,-z,x86-64-v3"], (), False, 3),
        (["-Wl,--build-id"], (), False, 0),
    ],
)
def test_what_a_linker_was_told_is_read_back(
    tmp_path: Path, options: list[str], search: tuple[str, ...], level: int, *, is_inherited: bool
) -> None:
    gcc, readelf = needed("gcc"), needed("readelf")
    source, made = tmp_path / "x.c", tmp_path / "libx.so"
    source.write_text("int x(void) { return 1; }\n", encoding="utf-8")
    if level and os.uname().machine != "x86_64":
        pytest.skip("needs a linker for x86-64")
    said(gcc, "-shared", "-fPIC", "-Wl,-soname,libx.so.1", *options, "-o", made, source)
    found = read(made)
    assert (found.name, found.search_paths, found.is_inherited) == ("libx.so.1", search, is_inherited)
    assert found.cpu_level == level
    assert bool(level) == ("x86-64-v3" in said(readelf, "-nW", made))


def test_programs_for_windows_are_read_as_llvm_does() -> None:
    objdump = needed("llvm-objdump")
    files = [path for folder in site.getsitepackages() for path in sorted(Path(folder).rglob("*.exe"))]
    if not files:
        pytest.skip("needs setuptools or pip, which carry programs for Windows")
    machines = {"coff-x86-64": "x86_64", "coff-i386": "x86", "coff-arm64": "aarch64"}
    for path in files:
        found, text = read(path), said(objdump, "-p", path)
        assert found.needed
        assert set(re.findall(r"DLL Name: (\S+)", text)) >= set(found.needed), path
        file_format = re.search(r"file format (\S+)", text)
        assert file_format is not None
        assert found.machine == machines[file_format[1]]
        assert found.is_program
