"""The self-test that a packed interpreter runs: prints as JSON what does not work.

It imports only the standard library, and is started as a file, since `multiprocessing` needs one.
Arguments: the prefix; a folder to write to.
"""

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path

_GLIBC = (
    "ld-linux", "libc.so", "libc-", "libm.so", "libm-", "libdl", "libpthread", "librt", "libutil",
    "libresolv", "libnss_", "libanl", "gconv", "ld-2",
)  # fmt: skip
_MODULES = (
    "_ssl",
    "_sqlite3",
    "_ctypes",
    "_lzma",
    "_bz2",
    "zlib",
    "_hashlib",
    "_decimal",
    "_uuid",
    "readline",
)


def expect(truth: object, said: object = "") -> None:
    if not truth:
        raise AssertionError(said)


def check_hashlib() -> None:
    expect(hashlib.sha256(b"a").hexdigest().startswith("ca978112ca1bbdca"))
    expect(hashlib.new("blake2b", b"a").hexdigest().startswith("333fcb4ee1aa7c11"))
    expect(hashlib.pbkdf2_hmac("sha256", b"a", b"b", 1) != hashlib.pbkdf2_hmac("sha256", b"a", b"b", 2))


def check_compression() -> None:
    import bz2
    import lzma
    import zlib

    data = b"cuvee" * 1000
    for module in (bz2, lzma, zlib):
        expect(module.decompress(module.compress(data)) == data)


def check_sqlite3() -> None:
    import sqlite3

    with sqlite3.connect(":memory:") as connection:
        row = connection.execute("select sum(value) from (select 40 as value union select 2)").fetchone()
    expect(row == (42,), row)


def check_ssl() -> None:
    import ssl

    context = ssl.create_default_context()
    expect(context.get_ciphers())
    expect(ssl.OPENSSL_VERSION.startswith("OpenSSL"))


def check_ctypes() -> None:
    import ctypes

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda value: value + 1)
    expect(callback(41) == 41 + 1)
    if os.name == "posix":
        expect(ctypes.CDLL(None).getpid() == os.getpid())


def double(value: int) -> int:
    return 2 * value


def check_multiprocessing() -> None:
    import multiprocessing

    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(1) as pool:
            expect(pool.map(double, [1, 21]) == [2, 42])


def check_venv() -> None:
    import venv

    folder = Path(sys.argv[2], "a venv")
    venv.create(folder, with_pip=False, symlinks=os.name == "posix")
    python = folder / ("bin/python" if os.name == "posix" else "Scripts/python.exe")
    code = "import sys, ssl, sqlite3; print(sys.prefix != sys.base_prefix)"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    expect(done.stdout.strip() == "True", done.stderr)


def check_site_packages() -> None:
    import site

    prefix = Path(sys.argv[1]).resolve()
    expect(Path(sys.prefix).resolve() == prefix, sys.prefix)
    expect(Path(sys.exec_prefix).resolve() == prefix, sys.exec_prefix)
    name = "Lib" if os.name == "nt" else "lib/python{}.{}".format(*sys.version_info)
    wanted = prefix / name / "site-packages"
    expect(Path(sysconfig.get_path("purelib")).resolve() == wanted, sysconfig.get_path("purelib"))
    folders = [Path(folder).resolve() for folder in site.getsitepackages()]
    expect(wanted in folders, folders)
    expect("dist-packages" not in str(folders), folders)
    expect(all(folder.is_relative_to(prefix) for folder in folders), folders)
    expect(not wanted.is_dir() or wanted in [Path(entry).resolve() for entry in sys.path], sys.path)
    expect("dist-packages" not in str(sys.path), sys.path)


def check_nothing_from_elsewhere() -> None:
    prefix = Path(sys.argv[1]).resolve()
    for name in _MODULES:
        try:
            __import__(name)
        except ImportError:
            continue
    own = Path(__file__).resolve()
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).resolve() != own:
            expect(Path(file).resolve().is_relative_to(prefix), f"module {name} is from {file}")
    for entry in sys.path[1:]:
        expect(Path(entry).resolve().is_relative_to(prefix), f"sys.path has {entry}")
    maps = Path("/proc/self/maps")
    if maps.exists():
        for line in maps.read_text().splitlines():
            file = line.split(maxsplit=5)[-1]
            inside = Path(file).is_relative_to(prefix)
            if file.startswith("/") and ".so" in file and not inside:
                expect(Path(file).name.startswith(_GLIBC), f"{file} is loaded from outside of the prefix")


CHECKS: tuple[Callable[[], None], ...] = (
    check_site_packages, check_nothing_from_elsewhere, check_hashlib, check_compression, check_sqlite3,
    check_ssl, check_ctypes, check_venv, check_multiprocessing,
)  # fmt: skip


def main() -> None:
    problems = {}
    skip = set(sys.argv[3:])
    for check in CHECKS:
        if check.__name__.removeprefix("check_") in skip:
            continue
        try:
            check()
        except BaseException:  # noqa: BLE001 - whatever it is, it is the finding
            problems[check.__name__.removeprefix("check_")] = traceback.format_exc()
    sys.stdout.write(json.dumps({"version": sys.version, "problems": problems}))


if __name__ == "__main__":
    main()
