"""Byte code is the same in every process of one version of Python: desktops make what a release states."""

import marshal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cuvee.runtime

pytestmark = pytest.mark.real
SCRIPT = Path(cuvee.runtime.__file__).with_name("compile_batch.py")
SOURCE = b"""
def one(kind):
    return kind in {"qalpha", "qbeta"} or other_name(kind, 3.5)

def two(kind):
    return kind in {"qalpha", "qbeta"}
"""


def compiled(*known: str, hash_seed: int = 0) -> list[bytes | None]:
    """Compile in a process that has known these names before."""
    code = (
        f"import random, runpy, sys; kept = [sys.intern(name) for name in {known!r}]; "
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", code],
        input=marshal.dumps(
            [("a.py", SOURCE, 7), ("b.py", b"print 1\n", 7), ("c.py", b"other_name(1)\n", 7)]
        ),
        env={"PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        check=True,
    )
    answer: list[bytes | None] = marshal.loads(done.stdout[8:])  # noqa: S302 - of our own script
    return answer


def test_what_a_process_has_imported_does_not_matter() -> None:
    first = compiled()
    assert first[1] is None
    assert first[0] is not None
    found: dict[str, Any] = {"other_name": max}
    exec(marshal.loads(first[0][16:]), found)  # noqa: S102, S302 - the source above
    assert found["two"]("qbeta")
    assert found["one"](4) == 4
    for known in (("qalpha",), ("qalpha", "qbeta"), ("other_name", "one", "two", "kind", "a.py")):
        assert compiled(*known, hash_seed=len(known)) == first
