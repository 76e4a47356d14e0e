"""Byte code and whole images, with real programs."""

import contextlib
import json
import random
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.byte_code import compile_servers
from cuvee.byte_code.byte_compiler import ByteCompiler, PythonSource, dated
from cuvee.errors import BlockedError, ToolMissingError
from cuvee.image.model import SOURCE_TIME, Image
from cuvee.image.stage0 import RUNTIME_FOLDER
from heard_warnings import HeardWarnings
from small_images import DECODER, PYTHON, TOOL, build, windows

pytestmark = pytest.mark.real


def test_byte_code_does_not_depend_on_company(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "src" / "cuvee"
    sources = [PythonSource(name=str(path), data=path.read_bytes()) for path in sorted(folder.rglob("*.py"))]
    sources.append(PythonSource(name="old.py", data=b"print 'an older Python'\n"))
    first = ByteCompiler(Path(sys.executable), tmp_path / "one")
    together = first.compile(sources, time=SOURCE_TIME)
    assert together[-1] is None
    assert all(data is not None for data in together[:-1])
    assert first.compile(sources, time=SOURCE_TIME) == together
    order = list(range(len(sources)))
    random.Random(3).shuffle(order)  # noqa: S311 - the same order each time
    second = ByteCompiler(Path(sys.executable), tmp_path / "two").compile(
        [sources[i] for i in order], time=SOURCE_TIME
    )
    assert [second[order.index(i)] for i in range(len(sources))] == together


def test_compiling_once_is_as_compiling_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [
        "def f(x):\n    return x in {'one_name', 'other_name'}\n",
        "def f(x):\n    return x in {'a1', 'a2'}\ndef g(x):\n    return x in {'a1', 'a2'}\n",
        "x = [y for y in {1, 2}] + ['one_name', ('b1', {'b1': 'b 2'})]\nb1 = 0 in {None, 'C'}\n",
        "def f(x):\n    return [{'c1', 'c2', 'c3'}, {'c1', 'c2', 'c3'}, {3, 4, 5}]\n",
    ]
    sources = [PythonSource(name=f"made{number}.py", data=text.encode()) for number, text in enumerate(texts)]
    library = Path(json.__file__).parents[1]
    paths = sorted(library.glob("[a-d]*.py"))
    sources += (PythonSource(name=path.name, data=path.read_bytes()) for path in paths)
    once = ByteCompiler(Path(sys.executable), tmp_path / "one").compile(sources, time=SOURCE_TIME)
    script = compile_servers._SCRIPT.read_text(encoding="utf-8")
    always = script.replace("if item > 1 or", "if item or")
    assert always != script
    (tmp_path / "script.py").write_text(always, encoding="utf-8")
    monkeypatch.setattr(compile_servers, "_SCRIPT", tmp_path / "script.py")
    assert ByteCompiler(Path(sys.executable), tmp_path / "two").compile(sources, time=SOURCE_TIME) == once


SOURCES = [PythonSource(name=name, data=b"x = 1\n") for name in ("one.py", "two.py")]


@pytest.mark.parametrize("value", [b"", b"evil", None, "text"], ids=["empty", "other", "none", "text"])
def test_damaged_byte_code_in_the_cache_is_compiled_again(tmp_path: Path, value: bytes | str | None) -> None:
    good = ByteCompiler(Path(sys.executable), tmp_path).compile(SOURCES, time=SOURCE_TIME)
    (file,) = (tmp_path / "bytecode").iterdir()
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        (table,) = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchone()
        connection.execute(f"UPDATE {table} SET data = ? WHERE data = ?", (value, dated(good[1], 0)))  # noqa: S608
    heard = HeardWarnings()
    assert ByteCompiler(Path(sys.executable), tmp_path, heard).compile(SOURCES, time=SOURCE_TIME) == good
    assert heard.lines == [f"{file} has 1 damaged modules; they are compiled again"]
    assert ByteCompiler(Path(sys.executable), tmp_path, heard).compile(SOURCES, time=SOURCE_TIME) == good
    assert len(heard.lines) == 1


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_damaged_file_of_byte_code_is_replaced(tmp_path: Path, keep: int) -> None:
    good = ByteCompiler(Path(sys.executable), tmp_path).compile(SOURCES, time=SOURCE_TIME)
    (file,) = (tmp_path / "bytecode").iterdir()
    file.write_bytes(file.read_bytes()[:keep] + b"\xff" * keep)
    heard = HeardWarnings()
    assert ByteCompiler(Path(sys.executable), tmp_path, heard).compile(SOURCES, time=SOURCE_TIME) == good
    assert len(heard.lines) == (keep > 0)


def test_a_compiler_that_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError):
        ByteCompiler(tmp_path / "nothing", tmp_path)


def test_an_image_for_windows(tmp_path: Path) -> None:
    import tarfile

    image = build(tmp_path, PYTHON, DECODER, TOOL)
    assert Image.load(image.folder) == image
    assert image.interpreter == "python.exe"
    with tarfile.open(image.stage0) as tar:
        names = {name for name in tar.getnames() if not name.startswith(RUNTIME_FOLDER)}
    assert names == {"python.exe", "Lib/os.pyc", "Lib/site-packages/zstandard/__init__.py"}


def test_a_release_that_could_not_read_its_own_image(tmp_path: Path) -> None:
    with pytest.raises(BlockedError, match="decompress zstd") as caught:
        build(tmp_path, PYTHON)
    assert "zstandard" in (caught.value.hint or "")
    with pytest.raises(BlockedError, match="no python"):
        build(tmp_path, DECODER)


@pytest.mark.parametrize("path", ["Lib/fcntl.py", "Scripts/tiny-admin.exe", "conda-meta/cuvee/json.py"])
def test_packages_with_reserved_paths(path: str, tmp_path: Path) -> None:
    with pytest.raises(BlockedError, match=r"evil has .* may have"):
        build(tmp_path, PYTHON, DECODER, windows("evil", path))


def test_stage0_has_files_of_the_core_only(tmp_path: Path) -> None:
    """A decoder that imports what any package brings runs no such code in the installer."""
    import tarfile

    evil = windows("evil", "Lib/site-packages/cffi/__init__.py", "Lib/site-packages/zstandard/more.py")
    needed = windows("needed", "Lib/site-packages/zstandard/needed.py")
    needing = replace(DECODER, depends=("python >=3.11", "needed >=1"))
    image = build(tmp_path, PYTHON, needing, needed, evil)
    with tarfile.open(image.stage0) as tar:
        names = {name for name in tar.getnames() if name.startswith("Lib/site-packages")}
    assert names == {f"Lib/site-packages/zstandard/{name}.py" for name in ("__init__", "needed")}
