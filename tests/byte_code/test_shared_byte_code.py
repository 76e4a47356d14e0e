"""A source is compiled once for all platforms, with the bytes that compiling it by itself gives."""

import sys
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Semaphore

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cuvee.byte_code.byte_compiler import ByteCompiler, PythonSource
from cuvee.byte_code.compile_servers import CompileServers, Source
from cuvee.byte_code.compiled_store import CompiledStore
from cuvee.errors import ToolMissingError
from cuvee.runtime.compile_batch import compile_one
from needed_programs import HANGING

TIME = 1_700_000_000
LINES = (
    *(
        "",
        "x = 1",
        "def f(a,",
        "    b):",
        "    return a in {'a', 'b'} \\",
        "    or b",
        '    """One',
        "    two",
    ),
    *(
        '    """',
        "'''",
        "\f",
        "# -*- coding: latin-1 -*-",
        "if x:",
        "\tx = '\\",
        "é'",
        "é = 'é'",
        "pass;",
        "(",
    ),
    *(")", "'\0'", "\ufeff"),
)
ENDS = ("\n", "\r\n", "\r", "\n\r", "\r\r\n", "")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[Source]:
    """Compile in this process; the list gets what is compiled."""
    asked: list[Source] = []

    def here(_: CompileServers, batch: Sequence[Source]) -> list[bytes | None]:
        asked.extend(batch)
        return [compile_one(*item) for item in batch]

    monkeypatch.setattr(CompileServers, "compile", here)
    return asked


def compiler(folder: Path) -> ByteCompiler:
    return ByteCompiler(Path(sys.executable), folder)


def alone(source: PythonSource) -> bytes | None:
    return compile_one(source.name, source.data, TIME)


def test_line_endings_share_byte_code(tmp_path: Path, compiled: list[Source]) -> None:
    text = b'def f():\n    """One\n    two.\n    """\n    return f\n'
    sources = [
        PythonSource(name="demo/one.py", data=text.replace(b"\n", end)) for end in (b"\n", b"\r\n", b"\r")
    ]
    assert compiler(tmp_path).compile(sources, time=TIME) == [alone(source) for source in sources]
    again = compiler(tmp_path).compile([*reversed(sources)], time=TIME + 1)
    assert again == [compile_one(source.name, source.data, TIME + 1) for source in reversed(sources)]
    assert len(compiled) == 1
    other = PythonSource(name="demo/two.py", data=text)
    assert compiler(tmp_path).compile([other], time=TIME) == [alone(other)]
    assert len(compiled) == 2


@given(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS)), max_size=8).map(tuple))
@example((("x = '''", "\r"), ("a", "\r\n"), ("'''", "\r")))
@example((("# -*- coding: latin-1 -*-", "\r"), ("é = 'é'", "\r\n")))
@example((("\ufeff", ""), ("x = 'a\\", "\r\n"), ("b'", "\r")))
def test_bytes_are_those_of_compiling_it_by_itself(lines: tuple[tuple[str, str], ...]) -> None:
    source = PythonSource(name="demo.py", data="".join(line + end for line, end in lines).encode())
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(CompileServers, "compile", lambda _, batch: [compile_one(*item) for item in batch])
        patch.setattr("cuvee.byte_code.byte_compiler.CompiledStore", Nothing)
        assert compiler(Path("nowhere")).compile([source], time=TIME) == [alone(source)]


class Nothing:
    """A cache that keeps nothing."""

    def __init__(self, *_: object) -> None: ...

    def get(self, _: object) -> dict[bytes, bytes | None]:
        return {}

    def put(self, _: object) -> None: ...


@dataclass
class Together:
    """Two threads compile at the same time: the first one's interpreter waits until both have looked."""

    compiler: ByteCompiler
    error: ToolMissingError | None = None
    looked: Semaphore = field(default_factory=lambda: Semaphore(0))

    def run(self, one: list[PythonSource], two: list[PythonSource]) -> list[Future[list[bytes | None]]]:
        get, compile_all = CompiledStore.get, CompileServers.compile

        def look(store: CompiledStore, keys: Iterable[bytes]) -> dict[bytes, bytes | None]:
            found = get(store, keys)
            self.looked.release()
            return found

        def wait(servers: CompileServers, batch: Sequence[Source]) -> list[bytes | None]:
            assert self.looked.acquire(timeout=HANGING)
            self.looked.release()
            if self.error is not None:
                raise self.error
            return compile_all(servers, batch)

        with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
            patch.setattr(CompiledStore, "get", look)
            patch.setattr(CompileServers, "compile", wait)
            first = pool.submit(self.compiler.compile, one, time=TIME)
            assert self.looked.acquire(timeout=HANGING)
            return [first, pool.submit(self.compiler.compile, two, time=TIME)]


def test_what_another_thread_compiles_is_waited_for(tmp_path: Path, compiled: list[Source]) -> None:
    one, two = (PythonSource(name=f"{name}.py", data=b"x = 1\n") for name in ("one", "two"))
    results = Together(compiler(tmp_path)).run([one], [two, one])
    assert [item.result() for item in results] == [[alone(one)], [alone(two), alone(one)]]
    assert sorted(item[0] for item in compiled) == ["one.py", "two.py"]


@pytest.mark.usefixtures("compiled")
def test_who_waits_for_a_failure_fails(tmp_path: Path) -> None:
    one, shared = PythonSource(name="one.py", data=b"x = 1\n"), compiler(tmp_path)
    results = Together(shared, ToolMissingError("It has ended")).run([one], [one])
    assert [type(item.exception()) for item in results] == [ToolMissingError] * 2
    assert shared.compile([one], time=TIME) == [alone(one)]
