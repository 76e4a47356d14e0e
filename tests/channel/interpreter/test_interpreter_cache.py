"""Packed interpreters in the cache, and the facade that fills it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee import platforms
from cuvee.channel import interpreter
from cuvee.channel.interpreter import host_interpreter
from cuvee.channel.interpreter.host_interpreter import InterpreterDescription, host_tree
from cuvee.channel.interpreter.interpreter_cache import load, package_content, save, source_key
from cuvee.channel.interpreter.linux_package import standard_library_files
from cuvee.channel.interpreter.model import InterpreterContent, LinuxTree
from cuvee.channel.model import Absent, Interpreter
from cuvee.channel.package_writer import PackageFile
from cuvee.progress import SILENT
from heard_warnings import HeardWarnings


def _layout(tmp_path: Path) -> InterpreterContent:
    library = tmp_path / "libz.so.1"
    library.write_bytes(b"z")
    return InterpreterContent(
        platform="linux-64",
        version="3.11.7",
        origin="a test",
        site_packages="lib/python3.11/site-packages",
        depends=("__glibc >=2.17,<3.0.a0",),
        files=(
            PackageFile(path="bin/python3.11", content=b"elf", executable=True),
            PackageFile(path="bin/python", content=b"", link_target="python3.11"),
            PackageFile(path="lib/libz.so.1", content=library),
        ),
        inputs=(library,),
    )


def test_the_same_interpreter_gives_the_same_bytes(tmp_path: Path) -> None:
    layout = _layout(tmp_path)
    first = save(tmp_path / "one", "key", layout)
    os.utime(tmp_path / "libz.so.1", (1, 1))
    second = save(tmp_path / "two", "key", replace(layout, files=layout.files[::-1]))
    assert first.archive.name == second.archive.name
    assert first.archive.read_bytes() == second.archive.read_bytes()


def test_the_build_string_tells_contents_apart(tmp_path: Path) -> None:
    layout = _layout(tmp_path)
    build = package_content(layout).build
    assert package_content(layout).build == build
    changes = [
        replace(layout, files=layout.files[1:]),
        replace(layout, depends=()),
        replace(layout, license_files={"LICENSE": b"PSF"}),
        replace(layout, files=(replace(layout.files[0], executable=False), *layout.files[1:])),
    ]
    assert len({build, *(package_content(changed).build for changed in changes)}) == len(changes) + 1


def test_what_was_packed_is_recalled(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    key = source_key("linux-64", ["3.11.7"])
    assert load(cache, key) is None
    kept = save(cache, key, _layout(tmp_path))
    assert load(cache, key) == kept
    assert kept.minor == "3.11"
    assert load(cache, source_key("linux-64", ["3.11.8"])) is None


@pytest.mark.parametrize("damage", ["archive", "gone", "library", "record", "empty record"])
def test_what_changed_is_packed_again(tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "cache"
    kept = save(cache, "key", _layout(tmp_path))
    if damage == "archive":
        kept.archive.write_bytes(kept.archive.read_bytes()[:-1])
    elif damage == "gone":
        kept.archive.unlink()
    elif damage == "library":
        library = tmp_path / "libz.so.1"
        times = library.stat().st_mtime_ns
        library.write_bytes(b"y")  # of the same size and time
        os.utime(library, ns=(times, times))
    else:
        (cache / "key.json").write_text("{}" if damage == "record" else "", encoding="utf-8")
    heard = HeardWarnings()
    assert load(cache, "key", heard) is None
    assert len(heard.lines) == (damage != "library")


def _probe(tmp_path: Path, **changes: str) -> InterpreterDescription:
    executable = tmp_path / "python3.11"
    executable.write_bytes(b"\x7fELF")
    facts = {
        "implementation": "cpython",
        "version": "3.11.7",
        "release": "final",
        "abiflags": "",
        "soabi": "",
    }
    return InterpreterDescription(
        **(facts | changes), executable=executable, prefix=tmp_path, stdlib=tmp_path, libdir="lib",
        include=tmp_path, wheels=Path(), multiarch="", builtins=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"implementation": "pypy"}, "only CPython"),
        ({"release": "candidate"}, "pre-release"),
        ({"abiflags": "t"}, "ABI flags"),
        ({"soabi": "cpython-311-x86_64-linux-musl"}, "musl"),
    ],
)
def test_an_interpreter_that_can_not_be_packed_is_absent(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    absent = host_tree("linux-64", _probe(tmp_path, **changes), {})
    assert isinstance(absent, Absent)
    assert reason in absent.reason
    assert absent.hint


def test_a_script_in_place_of_the_interpreter_is_absent(tmp_path: Path) -> None:
    probed = _probe(tmp_path)
    probed.executable.write_bytes(b"#!/bin/sh")
    assert isinstance(host_tree("linux-64", probed, {}), Absent)


def test_platforms_without_a_source_are_absent_in_the_order_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreter, "probe", lambda _: _probe(tmp_path, version="3.14.1", abiflags="t"))
    monkeypatch.setattr(platforms, "host", lambda: platforms.get("linux-64"))
    asked = ["osx-arm64", "win-64", "linux-64", "osx-64"]
    result = interpreter.pack_interpreters(asked, cache=tmp_path, reporter=SILENT)
    assert [item.platform for item in result] == asked
    assert all(isinstance(item, Absent) and item.reason and item.hint for item in result)


def test_versions_are_told_before_interpreters_are_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []

    def pack(tree: LinuxTree, *_: object) -> Interpreter:
        done.append("packed")
        return Interpreter(platform=tree.platform, version=tree.version, origin="a test")

    monkeypatch.setattr(interpreter, "probe", lambda _: _probe(tmp_path))
    monkeypatch.setattr(host_interpreter, "host_finder", lambda _: lambda *_: None)  # it runs ldconfig
    monkeypatch.setattr(interpreter, "_pack_host", pack)
    monkeypatch.setattr(platforms, "host", lambda: platforms.get("linux-64"))
    told = ("linux-64", _probe(tmp_path).version)
    interpreter.pack_interpreters(
        ["linux-64", "osx-64"], cache=tmp_path, reporter=SILENT, found=lambda *item: done.append(item)
    )
    assert done == [told, "packed", told]


def test_others_modules_and_test_suites_stay_out(tmp_path: Path) -> None:
    wanted = ["json/__init__.py", "os.py", "ensurepip/_bundled/pip.whl", "lib2to3/main.py"]
    unwanted = [
        "site-packages/x.py", "dist-packages/y.py", "test/t.py", "lib2to3/tests/t.py", "idlelib/i.py",
        "tkinter/__init__.py", "turtle.py", "sitecustomize.py", "EXTERNALLY-MANAGED", "stray.pyc",
        "config-3.11/libpython.a", "json/__pycache__/x.pyc", "lib-dynload/_ssl.so",
        "_distutils_system_mod.py",
    ]  # fmt: skip
    root = tmp_path / "root"
    for name in (*wanted, *unwanted):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (tmp_path / "outside.py").touch()
    (root / "escaping.py").symlink_to(tmp_path / "outside.py")
    tree = LinuxTree(
        platform="linux-64", version="3.11.7", executable=root, stdlib=root, dynload=root, prefix="/usr",
        root=root.resolve(), find_library=lambda *_: None, find_license=lambda _: {}, origin="a test",
    )  # fmt: skip
    assert [path.relative_to(root).as_posix() for path in standard_library_files(tree)] == sorted(wanted)
    (root / "ensurepip" / "_bundled" / "pip.whl").unlink()
    (root / "ensurepip" / "_bundled").rmdir()
    (root / "ensurepip" / "__init__.py").touch()
    assert not [path for path in standard_library_files(tree) if "ensurepip" in path.parts]
