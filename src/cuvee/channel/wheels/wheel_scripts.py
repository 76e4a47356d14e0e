"""The scripts of an imported package: those that the wheel has as files, and those of its entry points."""

import re
from collections.abc import Iterable, Iterator

from cuvee.channel.package_writer import PLACEHOLDER, PackageFile
from cuvee.channel.wheels.core_metadata import EntryPoint
from cuvee.channel.wheels.install_scheme import InstallScheme

_SHEBANG = re.compile(rb"#!pythonw?(?=[ \t\r\n]|$)")


def script_file(path: str, data: bytes, scheme: InstallScheme) -> PackageFile:
    """Return a script of a wheel; ``#!python`` becomes the interpreter of the prefix, as PEP 427 requires."""
    match = _SHEBANG.match(data)
    if match is None:
        return PackageFile(path=path, content=data, executable=True)
    content = f"#!{_interpreter(scheme)}".encode() + data[match.end() :]
    return PackageFile(path=path, content=content, executable=True, placeholder=PLACEHOLDER)


def entry_point_files(
    points: Iterable[EntryPoint], scheme: InstallScheme, launcher: bytes | None
) -> Iterator[PackageFile]:
    """Yield the scripts of a platform's entry points, as installers make them for noarch packages.

    ``launcher`` is the program that starts ``NAME-script.py`` on Windows.
    """
    for point in points:
        path = f"{scheme.scripts}/{point.name}"
        if not scheme.is_windows:
            content = f"#!{_interpreter(scheme)}\n{_script(point)}".encode()
            yield PackageFile(path=path, content=content, executable=True, placeholder=PLACEHOLDER)
        elif launcher is not None:
            yield PackageFile(path=f"{path}-script.py", content=_script(point).encode())
            yield PackageFile(path=f"{path}.exe", content=launcher, executable=True)


def _interpreter(scheme: InstallScheme) -> str:
    return f"{PLACEHOLDER}/python.exe" if scheme.is_windows else f"{PLACEHOLDER}/bin/python"


def _script(point: EntryPoint) -> str:
    first, *rest = point.function.split(".")
    call = ".".join(("entry", *rest))
    return f"""\
import sys

from {point.module} import {first} as entry

if __name__ == "__main__":
    for suffix in (".exe", "-script.py", "-script.pyw"):
        sys.argv[0] = sys.argv[0].removesuffix(suffix)
    sys.exit({call}())
"""
