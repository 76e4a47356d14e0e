"""Whatever stands in the files that cuvee keeps, reading them gives a value or an error of ours."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_index
from archive_contents import archive
from checked_sets import package
from cuvee.channel.credentials import Credentials
from cuvee.channel.inspection import inspection_cache
from cuvee.channel.interpreter import interpreter_cache
from cuvee.channel.repodata_download import _read_state
from cuvee.channel.wheels.package_cache import _verified
from cuvee.cli.main import run
from cuvee.codec import encode
from cuvee.errors import CuveeError, InternalError
from cuvee.graph.certificate.certificate_format import MalformedCertificate, from_bytes
from cuvee.graph.channel_check.checkpoint import Checkpoint
from cuvee.history.json_lines import from_lines
from cuvee.image.model import Image
from cuvee.image.settings import InstallerSettings
from cuvee.integration.results_folder import read_run
from cuvee.lock.pixi_lock import read_lock
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release.pipeline import check_release
from cuvee.release.record import Release
from cuvee.release.session import Options, Session
from cuvee.release.stage import StageRunner
from tiny_distribution import NOW

GOLDEN = Path(__file__).parent / "golden"
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0.5,
    10**400,
    "",
    "\x00",
    "../../x",
    "\ud800",
    [],
    [[]],
    {},
    {"": None},
)
"""What a value is replaced by."""
RAW = (b"", b"\x00", b"\xff\xfe", b"null", b"[]", b"NaN", b'"text"', b"{", b"[" * 100_000, b'{"a":' * 100_000)
"""What a whole file is replaced by."""


def mutants(value: Any) -> Iterator[Any]:
    """Yield a value with each of its parts replaced, or left out, in turn; of equal entries of a list one."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield {name: other for name, other in value.items() if name != key}
            for changed in (*ODD, *mutants(item)):
                yield {**value, key: changed}
    elif isinstance(value, list):
        yield [*value, *value]
        for number, item in enumerate(value[:1]):
            for changed in (*ODD, *mutants(item)):
                yield [*value[:number], changed, *value[number + 1 :]]


def written(value: Any) -> bytes:
    return json.dumps(value).encode()


def survive(data: bytes, read: Callable[[], object]) -> None:
    with suppress(CuveeError, MalformedCertificate):
        try:
            read()
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
            raise AssertionError(f"{data[:2000]!r}: {error!r}") from error


def stage(root: Path, data: bytes) -> None:
    (root / ".stages").mkdir(exist_ok=True)
    (root / ".stages" / "lock.json").write_bytes(data)
    runner = StageRunner(folder=root, reporter=SILENT)
    runner.recorded("lock")
    runner.put_aside("lock")
    runner.set_aside()


def file_of(name: str, read: Callable[[Path], object]) -> Callable[[Path, bytes], None]:
    """Return what writes a document as ``name`` and reads it."""

    def write_and_read(root: Path, data: bytes) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        read(path)

    return write_and_read


RUN = {
    "platform-run": 1, "platform": "linux-64", "runner": "native", "not_run": None,
    "environment": {"host": "Linux"},
    "outcomes": [
        {"suite": "smoke", "test": "a", "platform": "linux-64", "state": "pass", "seconds": 1.0,
         "package": "a", "packages": ["a"], "reason": "", "log": ""}
    ],
}  # fmt: skip
DOCUMENTS: dict[str, tuple[Any, Callable[[Path, bytes], None]]] = {
    "release": (
        json.loads((GOLDEN / "release.json").read_bytes()),
        file_of("release.json", lambda path: Release.open(path.parent)),
    ),
    "stage": ({"inputs": "a", "seconds": 1.0, "outputs": {"x": "0"}, "kept": None, "request": "",
               "base": ""}, stage),
    "outcomes": (RUN, file_of("outcomes.json", lambda path: read_run(path.parent))),
    "history": (
        {"history-run": 1, "distribution": "tiny", "version": "2026.11.0", "base": "", "made_at":
         "2026-11-22T12:00:00+00:00", "verdict": "ready", "released": True, "failure": "", "inputs": "",
         "runs": [], "packages": [], "artefacts": [], "findings": []},
        file_of("runs.jsonl", lambda path: list(from_lines(path.read_bytes().splitlines(), source="x"))),
    ),
    "image": (
        {"image": 1, "platform": "linux-64", "label": {"distribution": "a", "version": "1", "title": "A"},
         "manifest_sha256": "0", "manifest_raw": 1, "stage0_sha256": "0", "payload_sha256": "0",
         "raw_size": 1, "files": 1, "longest_path": 1, "interpreter": "bin/python",
         "floor": {"__osx": "11.0"}, "settings": encode(InstallerSettings())},
        file_of("image.json", lambda path: Image.load(path.parent)),
    ),
    "certificate": (
        json.loads((GOLDEN / "certificate.json").read_bytes()),
        file_of("certificate.json", lambda path: from_bytes(path.read_bytes())),
    ),
    "repodata state": (
        {"format": "repodata.json", "tag": "", "changed": "", "sha256": "0"},
        file_of("state.json", lambda path: _read_state(path, path, SILENT)),
    ),
    "made package": (
        {"archive": "a.conda", "sha256": "0"},
        file_of("package.json", lambda path: _verified(path.parent)),
    ),
    "interpreter": (
        {"platform": "linux-64", "version": "3.11", "origin": "host", "archive": "k.json",
         "sha256": "0", "inputs": [["a", "0"]]},
        file_of("k.json", lambda path: interpreter_cache.load(path.parent, "k")),
    ),
    "credentials": (
        {"example.org": {"BasicHTTP": {"username": "a", "password": "b"}}},
        file_of("auth.json", lambda path: Credentials({"RATTLER_AUTH_FILE": str(path)})),
    ),
    "finished part": (
        {"channel-check-part": 1, "conflicts": []},
        file_of("x/0.json", lambda path: Checkpoint(path.parent.parent, []).load()),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_part_of_a_document(tmp_path: Path, name: str) -> None:
    document, read = DOCUMENTS[name]
    count = 0
    for data in (*RAW, *map(written, mutants(deepcopy(document)))):
        survive(data, partial(read, tmp_path, data))
        count += 1
    assert count > len(RAW)


def test_each_part_of_a_lock(tmp_path: Path) -> None:
    path = tmp_path / "pixi.lock"
    document = yaml.safe_load((GOLDEN / "pixi.lock").read_bytes())
    texts = [yaml.safe_dump(value).encode() for value in mutants(document) if "\ud800" not in repr(value)]
    for data in (*RAW, b"%TAG", b"a: &a [*a]", b"- !!python/object:os.system {}", *texts):
        path.write_bytes(data)
        survive(data, lambda: read_lock(path))


@given(at=st.integers(0, 4000), byte=st.integers(0, 255))
@settings(max_examples=200)
def test_a_cached_inspection(tmp_path: Path, at: int, byte: int) -> None:
    contents = archive(package("a"))
    path = inspection_cache.path_of(tmp_path, contents.sha256)
    inspection_cache.save(tmp_path, contents)
    data = bytearray(path.read_bytes())
    data[at % len(data)] = byte
    path.write_bytes(data)
    found = inspection_cache.load(tmp_path, contents.sha256)
    assert found in (None, contents)


COMMANDS: dict[str, Sequence[Sequence[str]]] = {
    "release.json": (["report", "."], ["diff", ".", "."], ["history", "app"]),
    "lock/pixi.lock": (
        ["why", "app", "."],
        ["graph", "."],
        ["diff", "lock/pixi.lock", "."],
        ["certify", "."],
    ),
    ".stages/lock.json": (["why", "app", "."], ["check", "."]),
    ".stages/channel.json": (["needs", "base", "."],),
    "checks/certificate.json": (["certify", "--verify", "checks/certificate.json"],),
}
"""Of each file of a release folder, commands that read it."""


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a release that was checked, with its record."""
    root = tmp_path_factory.mktemp("cut")
    tiny_index.write_index(root / "channel", map(tiny_index.entry, ("app 1: base", "base 1")))
    path = tiny_index.write_manifest(root / "manifests", root / "channel", 'app: "*"')
    found = Options(dist=root / "dist", cache=root / "cache", now=NOW)
    check_release(Session(load_manifest(path, today=NOW.date()), found, SILENT)).save()
    return root / "dist" / "tiny-2026.11.0"


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_over_a_damaged_file(
    cut: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(cut)
    path = cut / name
    good = path.read_bytes()
    read, write = (yaml.safe_load, yaml.safe_dump) if path.suffix == ".lock" else (json.loads, json.dumps)
    texts = [write(value).encode() for value in mutants(read(good)) if "\ud800" not in repr(value)]
    try:
        for data in (good, *RAW, *texts[:: len(texts) // 40 + 1]):
            path.write_bytes(data)
            for command in COMMANDS[name]:
                code = run(list(command))
                said = capsys.readouterr()
                assert code != InternalError.exit_code, (data[:2000], command, said.err)
                assert "Traceback" not in said.err
                assert code == 0 or (said.out + said.err).strip()
    finally:
        path.write_bytes(good)
