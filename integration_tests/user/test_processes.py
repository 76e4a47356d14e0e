"""Processes that programs of users start."""

import os
import shutil
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.packages("python")

POOL = """\
import multiprocessing as mp
import sys

import numpy as np


def work(array):
    return float(array.sum()), sys.prefix


if __name__ == "__main__":
    with mp.get_context(sys.argv[1]).Pool(2) as pool:
        results = pool.map(work, [np.full(1000, n) for n in range(4)])
    print([total for total, _ in results])
    print(len({prefix for _, prefix in results} | {sys.prefix}))
"""

SHARED = """\
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import pandas as pd


def double(name):
    memory = SharedMemory(name)
    array = np.ndarray(8, dtype="float64", buffer=memory.buf)
    array *= 2
    table = pd.DataFrame({"x": array.copy()})
    del array
    memory.close()
    return table


if __name__ == "__main__":
    memory = SharedMemory(create=True, size=64)
    array = np.ndarray(8, dtype="float64", buffer=memory.buf)
    array[:] = 1.5
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        table = executor.submit(double, memory.name).result()
    print(array.sum(), table["x"].sum())
    del array
    memory.close()
    memory.unlink()
"""


@pytest.mark.packages("numpy")
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_pool_of_processes_works(method, user):
    if method == "forkserver" and os.name != "posix":
        pytest.skip("Windows has no fork")
    script = user.script("pool.py", POOL)
    totals, prefixes = user.run(sys.executable, script, method).splitlines()
    assert totals == "[0.0, 1000.0, 2000.0, 3000.0]"
    assert prefixes == "1"


@pytest.mark.packages("numpy", "pandas")
def test_processes_share_memory(user):
    assert user.run(sys.executable, user.script("shared.py", SHARED)) == "24.0 24.0"


@pytest.mark.packages("pygments", "babel", "fonttools")
def test_a_program_calls_the_releases_own_tools(user):
    code = (
        "import shutil, subprocess, sys\n"
        "for name in ('pygmentize', 'pybabel', 'fonttools'):\n"
        "    found = shutil.which(name)\n"
        "    option = {'pygmentize': '-V', 'pybabel': '--version', 'fonttools': '--help'}[name]\n"
        "    done = subprocess.run([found, option], capture_output=True, text=True)\n"
        "    if done.returncode:\n"
        "        sys.exit(f'{found} ended with {done.returncode}: {done.stdout}{done.stderr}')\n"
        "    print(found)\n"
    )
    for path in user.python(code).splitlines():
        assert Path(path).is_relative_to(sys.prefix), path


@pytest.mark.packages("ipython")
def test_modules_are_run_as_programs(user):
    (user.folder / "data.json").write_text('{"b": 1, "a": "é"}', encoding="utf-8")
    shown = user.run(sys.executable, "-X", "utf8", "-m", "json.tool", "--no-ensure-ascii", "data.json")
    assert '"a": "é"' in shown
    assert (
        user.run(sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", "print(6 * 7)")
        == "42"
    )
    assert user.run(sys.executable, "-m", "timeit", "-n1", "-r1", "pass").startswith("1 loop")


@pytest.mark.packages("psutil")
def test_children_are_seen_and_ended(user):
    code = (
        "import psutil, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "(found,) = psutil.Process().children(recursive=True)\n"
        "assert found.pid == child.pid\n"
        "found.terminate()\n"
        "print(child.wait(10) != 0, psutil.pid_exists(child.pid))"
    )
    assert user.python(code) == "True False"


def test_the_interpreter_is_the_one_on_path(user):
    first = shutil.which("python", path=user.environment["PATH"])
    assert first is not None
    assert Path(first).samefile(sys.executable)
    # Without -I, as users start it: no folder outside of the release or the home is searched.
    for folder in user.python("import sys; print(*sys.path[1:], sep='\\n')").splitlines():
        assert Path(folder).is_relative_to(sys.prefix) or Path(folder).is_relative_to(user.home), folder
