"""The scripts of an imported package: those that the wheel has as files, and those of its entry points."""

import re
from collections.abc import Iterable, Iterator

from cuvee.channel.package_writer import PLACEHOLDER, PackageFile
from cuvee.channel.wheels.core_metadata import EntryPoint
from cuvee.channel.wheels.install_scheme import InstallScheme

_SHEBANG = re.compile(rb"#!python(w?)[^ \t\r\n]*([^\r\n]*)\r?\n?")


def script_file(path: str, data: bytes, scheme: InstallScheme) -> PackageFile:
    """Return a script of a wheel; its ``#!python`` line gets the interpreter of the prefix.

    PEP 427 requires it of ``#!python`` and ``#!pythonw``; pip and uv do it for all lines that begin so, such
    as ``#!python3``. The line ends without CR, which a kernel would take for a part of the name.
    """
    match = _SHEBANG.match(data)
    if match is None:
        return PackageFile(path=path, content=data, executable=True)
    interpreter = _interpreter(scheme, suffix=match[1].decode())
    content = f"#!{interpreter}".encode() + match[2].rstrip() + b"\n" + data[match.end() :]
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


def _interpreter(scheme: InstallScheme, *, suffix: str = "") -> str:
    """Return the interpreter in the prefix; only Windows has one for programs with windows, ``pythonw``."""
    return f"{PLACEHOLDER}/python{suffix}.exe" if scheme.is_windows else f"{PLACEHOLDER}/bin/python"


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
