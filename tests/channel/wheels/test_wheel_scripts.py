"""The first lines of scripts, which installers rewrite for the prefix."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.channel.package_writer import PLACEHOLDER, PackageFile
from cuvee.channel.wheels.convert import Conversion, convert
from cuvee.channel.wheels.wheel_archive import open_wheel

MakeWheel = Callable[..., Path]


def script(make_wheel: MakeWheel, tmp_path: Path, data: bytes, subdir: str) -> PackageFile:
    path = make_wheel(files={"demo-1.0.data/scripts/a tool": data})
    conversion = Conversion(wheel=path.name, sha256="0" * 64, subdir=subdir, minor="3.11", depends=())
    with open_wheel(path) as wheel:
        package = convert(wheel, conversion, scratch=tmp_path)
    (found,) = (file for file in package.files if file.path.endswith("/a tool"))
    return found


@pytest.mark.parametrize(
    ("line", "unix", "windows"),
    [
        (b"#!python\n", "bin/python", "python.exe"),
        (b"#!python\r\n", "bin/python", "python.exe"),
        (b"#!pythonw\n", "bin/python", "pythonw.exe"),
        (b"#!pythonw\r\n", "bin/python", "pythonw.exe"),
        (b"#!python3\n", "bin/python", "python.exe"),
        (b"#!python3.11\r\n", "bin/python", "python.exe"),
        (b"#!python2\n", "bin/python", "python.exe"),
        (b"#!python3 -E -s\r\n", "bin/python -E -s", "python.exe -E -s"),
    ],
)
def test_scripts_start_with_the_interpreter_of_the_prefix(
    make_wheel: MakeWheel, tmp_path: Path, line: bytes, unix: str, windows: str
) -> None:
    rest = b"print(1)\r\nprint(2)\n"
    for subdir, expected in (("noarch", unix), ("linux-64", unix), ("win-64", windows)):
        found = script(make_wheel, tmp_path, line + rest, subdir)
        assert found.read() == f"#!{PLACEHOLDER}/{expected}\n".encode() + rest
        assert (found.placeholder, found.executable) == (PLACEHOLDER, True)


def test_a_script_that_is_one_line_has_an_end(make_wheel: MakeWheel, tmp_path: Path) -> None:
    assert script(make_wheel, tmp_path, b"#!python", "noarch").read().endswith(b"/bin/python\n")


@pytest.mark.parametrize("data", [b"#!/usr/bin/env python3\r\nx\r\n", b"#! python\n", b"import sys\n", b""])
def test_other_first_lines_stay(make_wheel: MakeWheel, tmp_path: Path, data: bytes) -> None:
    assert script(make_wheel, tmp_path, data, "noarch").read() == data
