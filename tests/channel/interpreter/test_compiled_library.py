"""Standard libraries of several platforms, compiled at the same time."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import pytest

from cuvee.byte_code.compile_servers import CompileServers, Source
from cuvee.channel.interpreter.compiled_library import LibraryCompiler
from cuvee.channel.interpreter.model import InterpreterContent
from cuvee.channel.package_writer import PackageFile
from cuvee.progress import SILENT


def content(platform: str) -> InterpreterContent:
    library = "lib/python3.11"
    names = ("os", "abc", "json/__init__")
    files = tuple(PackageFile(path=f"{library}/{name}.py", content=b"x = 1\n") for name in names)
    return InterpreterContent(
        platform=platform,
        version="3.11.7",
        origin="",
        site_packages=f"{library}/site-packages",
        depends=(),
        files=files,
    )


def test_a_source_of_two_platforms_is_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    together = Barrier(2)

    def compile_all(_: CompileServers, batch: Sequence[Source]) -> list[bytes | None]:
        compiled.extend(item[0] for item in batch)
        with suppress(BrokenBarrierError):
            together.wait(timeout=0.1)  # for another thread that compiles, too
        return [bytes(16) for _ in batch]

    monkeypatch.setattr(CompileServers, "compile", compile_all)
    library = LibraryCompiler(
        executable=Path(sys.executable), version="3.11.7", cache=tmp_path, reporter=SILENT
    )
    contents = [content("linux-64"), content("linux-aarch64")]
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(library.compiled, contents)
    assert sorted(compiled) == ["abc.py", "json/__init__.py", "os.py"]
    assert one.files == two.files
    assert len(one.files) == 6
