"""What is built here requires the glibc whose symbols it uses, in its metadata, too."""

import sys
from pathlib import Path

import pytest

from cuvee.build.glibc_floor import glibc_floor, with_glibc
from cuvee.channel.package_writer import PackageFile
from cuvee.process import Request, run
from needed_programs import needs


@pytest.mark.parametrize(
    ("depends", "least", "expected"),
    [
        (("zlib", "python >=3.11"), "2.34", ["__glibc >=2.34", "python >=3.11", "zlib"]),
        (("zlib",), "", ["zlib"]),
        (("__glibc >=2.36,<3.0a0",), "2.34", ["__glibc >=2.36,<3.0a0"]),
        (("__glibc >=2.4",), "2.34", ["__glibc >=2.34", "__glibc >=2.4"]),
        (("__glibc",), "2.2.5", ["__glibc", "__glibc >=2.2.5"]),
    ],
)
def test_dependencies_state_it_once(depends: tuple[str, ...], least: str, expected: list[str]) -> None:
    assert with_glibc(depends, least) == expected


def test_what_is_no_program_of_linux_requires_none(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    files = (
        PackageFile(path="lib/a.py", content=b"GLIBC_2.99"),
        PackageFile(path="lib/broken.so", content=b"\x7fELF" + bytes(100)),
        PackageFile(path="lib/link.so", content=b"", link_target="broken.so"),
        PackageFile(path="lib/empty", content=empty),
    )
    assert glibc_floor(files) == ""


@pytest.mark.real
@needs("readelf")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")
def test_readelf_finds_the_same() -> None:
    program = Path("/bin/sh").resolve()
    said = run(Request(argv=("readelf", "--version-info", str(program)), timeout=60)).stdout
    words = {word for word in said.split() if word.startswith("GLIBC_2.")}
    newest = max(tuple(map(int, word.removeprefix("GLIBC_").split("."))) for word in words)
    files = [PackageFile(path="bin/sh", content=program), PackageFile(path="a", content=b"")]
    assert glibc_floor(files) == ".".join(map(str, newest))
