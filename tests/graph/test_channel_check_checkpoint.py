"""The channel check over HTTP, and when it is interrupted: what is finished is kept."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import zstandard

from channel_oracle import entry, write_repodata
from cuvee.cli.main import run
from cuvee.conda.package_record import Record
from cuvee.errors import StorageError
from cuvee.executors.local_processes import processes
from cuvee.graph.channel_check import pool_check
from cuvee.graph.channel_check.installability import ClassConflict
from cuvee.graph.channel_check.pool_check import check_pool
from cuvee.graph.solving.pool import Pool
from measuring_work import polls
from needed_programs import HANGING

pytestmark = pytest.mark.real

PAGE = """\
linux-64: 1 of 2 records can be installed; of the 2 newest, 1 cannot
  1 missing: there is no zz: zz
      b
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def check_url(url: str, cache: Path) -> int:
    return run(["check-channel", url, "--platform", "linux-64", "-q", "--cache", str(cache)])


def test_a_channel_over_http_plain_and_compressed(
    served: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, url = served
    path = write_repodata(folder / "plain", [entry("a"), entry("b", depends=["zz"])])
    other = folder / "packed" / "linux-64" / "repodata.json.zst"
    other.parent.mkdir(parents=True)
    other.write_bytes(zstandard.compress(path.read_bytes()))
    for name in ("plain", "plain", "packed"):
        assert check_url(f"{url}/{name}", tmp_path / "cache") == 1
        assert tuple(capsys.readouterr()) == (PAGE, "")
    write_repodata(folder / "plain", [entry("a"), entry("b", depends=["zz"]), entry("zz")])
    os.utime(path, (2_000_000_000, 2_000_000_000))  # a later time than what the cache has
    assert check_url(f"{url}/plain", tmp_path / "cache") == 0
    assert capsys.readouterr().out.startswith("linux-64: 3 of 3 records can be installed")


def test_what_is_not_there_or_cut_short(
    served: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, url = served
    data = write_repodata(folder / "plain", [entry("a"), entry("b", depends=["zz"])]).read_bytes()
    for name, ending, content in (("cut", "", data[:-120]), ("torn", ".zst", zstandard.compress(data)[:-20])):
        path = folder / name / "linux-64" / f"repodata.json{ending}"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    assert check_url(f"{url}/nothing", tmp_path / "cache") == 4
    assert f"{url}/nothing has no repodata for linux-64" in capsys.readouterr().err
    assert check_url(f"{url}/cut", tmp_path / "cache") == 1
    page = capsys.readouterr().out
    assert page.startswith("linux-64: 0 of 0 records can be installed")
    assert "not JSON at line 1, column" in page
    assert check_url(f"{url}/torn", tmp_path / "cache") == 4
    assert f"Cannot read {url}/torn/linux-64" in capsys.readouterr().err


def long_pool() -> Pool:
    """Return a pool in which each record takes a while: what it needs is a long chain."""
    records = [Record(name="py", version=str(version), build="0") for version in range(1, 6)]
    for number in range(400):
        before = [f"a{number - 1}"] if number else []
        records += [
            Record(name=f"a{number}", version=str(v), build="0", depends=(f"py {v}", *before))
            for v in range(1, 5)
        ]
        depends = (f"a{number} {1 + number % 4}", "py 5")
        records.append(Record(name=f"bad{number}", version="1", build="0", depends=depends))
    return Pool(records)


def test_after_a_worker_died_the_next_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = long_pool()
    monkeypatch.setattr(pool_check, "_PART", 20)
    alone = check_pool(pool, "linux-64")
    monkeypatch.setattr(pool_check, "SMALL", 0)
    finished: dict[int, Sequence[ClassConflict]] = {}

    def save(part: int, found: Sequence[ClassConflict]) -> None:
        finished[part] = found
        for child in multiprocessing.active_children():
            child.kill()

    with processes(2) as executor, pytest.raises(StorageError) as caught:
        check_pool(pool, "linux-64", executor=executor, save=save)
    assert "was killed" in caught.value.message
    assert "Run the same command again" in str(caught.value.hint)
    kept, again = set(finished), set[int]()
    assert kept
    with processes(2) as executor:
        result = check_pool(
            pool, "linux-64", executor=executor, finished=finished, save=lambda part, _: again.add(part)
        )
    assert result == alone
    assert again
    assert not kept & again


def working(group: int, word: bytes = b"spawn_main") -> list[int]:
    """Return the processes of a group that have a word in their command; by default the checking ones."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()  # empty of one that has ended
            if os.getpgid(int(path.name)) == group and command and word in command:
                found.append(int(path.name))
        except (ProcessLookupError, FileNotFoundError):
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_ctrl_c_ends_all_processes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entries = [entry("py", str(version)) for version in range(4)]
    entries += [entry(f"n{n}", str(v), depends=[f"py {v}"]) for n in range(5500) for v in range(4)]
    write_repodata(tmp_path / "channel", entries)
    asked = ["check-channel", str(tmp_path / "channel"), "--json", "--cache", str(tmp_path / "cache")]
    program = "from cuvee.cli.main import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", program, *asked, "--jobs", "2"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while not working(child.pid) and child.poll() is None:
        pass
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=HANGING)
    assert (child.returncode, out) == (130, ""), err
    assert err.splitlines()[-1].startswith("Interrupted. What was finished is kept")
    assert "Traceback" not in err
    assert working(child.pid) == []
    # What multiprocessing counts its semaphores with ends by itself when its parent has.
    assert any(working(child.pid, b"") == [] for _ in polls(HANGING))
    assert run([*asked, "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["platforms"][0]["installable"] == len(entries)
