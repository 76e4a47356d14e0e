"""Every documented exit code of an installer can be had, and the log says what its page says, no more."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cuvee import process
from docs_text import code_in, table
from needed_programs import HANGING
from tiny_release import Release

pytestmark = pytest.mark.real

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def program(folder: Path, name: str, text: str) -> dict[str, str]:
    """Return an environment in which a program does something else."""
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def ended_by(signal: str) -> Callable[[Release, Path], process.Completed]:
    """Return an installation that gets a signal while it unpacks."""

    def run(release: Release, folder: Path) -> process.Completed:
        text = f'kill -{signal} $PPID; exec {shutil.which("tar")} "$@"'
        environment = program(folder / "bin", "tar", text)
        return release.install("-b", "-p", folder / "py", environment=environment)

    return run


def damaged(release: Release, folder: Path) -> process.Completed:
    data = bytearray(release.installer.read_bytes())
    data[-7] ^= 1
    (folder / "flipped.sh").write_bytes(data)
    return release.install("-b", "-p", folder / "py", installer=folder / "flipped.sh")


def on_another_machine(release: Release, folder: Path) -> process.Completed:
    environment = program(folder / "bin", "uname", "echo Plan9")
    return release.install("-b", "-p", folder / "py", environment=environment)


def where_something_is(release: Release, folder: Path) -> process.Completed:
    (folder / "there").mkdir()
    return release.install("-b", "-p", folder / "there")


WAYS: dict[int, Callable[[Release, Path], process.Completed]] = {
    0: lambda release, folder: release.install("-b", "-p", folder / "py"),
    1: where_something_is,
    2: lambda release, folder: release.install("-p", folder / "py", stdin="\nno\n"),
    3: on_another_machine,
    5: damaged,
    129: ended_by("HUP"),
    130: ended_by("INT"),
    143: ended_by("TERM"),
}


def test_every_code_on_the_page_is_provoked() -> None:
    text = (REFERENCE / "exit-codes.md").read_text(encoding="utf-8")
    lines = text.partition("## Exit codes of the `.sh` installer")[2].splitlines()
    cells = [line.split("|")[1].strip() for line in lines if line.startswith("| ")][1:]
    assert {int(code) for cell in cells for code in cell.split(", ")} == WAYS.keys()


@pytest.mark.parametrize("code", WAYS)
def test_code(code: int, release: Release, tmp_path: Path) -> None:
    done = WAYS[code](release, tmp_path)
    assert done.exit_code == code, done.stderr
    # Unless it is 0, nothing was changed, and nothing is left.
    assert (tmp_path / "py").exists() == (code == 0)
    assert not list(tmp_path.glob(".*"))
    assert code in {0, 129, 130, 143} or done.stderr.startswith(("Error: ", "usage: ")) or code == 2


def test_log_has_the_keys_of_its_page(release: Release, newer: Release, tmp_path: Path) -> None:
    prefix, log = tmp_path / "py", tmp_path / "log"

    def admin(*arguments: str | Path) -> int:
        argv = (str(prefix / "bin" / "tiny-admin"), *map(str, arguments))
        environment = {"PATH": os.environ["PATH"]}
        return process.run(process.Request(argv=argv, environment=environment, timeout=HANGING)).exit_code

    def entries(path: Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    assert release.install("-b", "-p", prefix, "--log", log).ok
    (prefix / "share" / "tools" / "readme").write_text("mine now")
    (prefix / "mine.txt").write_text("mine")
    assert newer.install("-b", "-u", "-p", prefix, "--log", log).ok
    (prefix / "share" / "tools" / "new").unlink()
    assert admin("repair", "--from", newer.installer) == 0
    inside = entries(prefix / "conda-meta" / "cuvee" / "log.jsonl")
    assert [entry["verb"] for entry in inside] == ["install", "upgrade", "repair"]
    assert admin("rollback") == 0
    assert admin("clean") == 0
    assert admin("rollback") == 1
    after = entries(prefix / "conda-meta" / "cuvee" / "log.jsonl")
    assert [entry["verb"] for entry in after] == ["install", "rollback", "clean", "rollback"]
    beside = prefix.with_name("beside")
    assert newer.install("-b", "-p", beside, f"--share={prefix}", "--log", log).ok
    assert release.install("-b", "-p", prefix, "--log", log).exit_code == 1  # ends in the shell
    assert release.install("--uninstall", "-p", prefix, "--log", log).ok
    outside = entries(Path(f"{log}.jsonl"))

    assert [(entry["verb"], entry["exit"]) for entry in outside] == [
        ("install", 0), ("upgrade", 0), ("install", 0), ("install", 1), ("uninstall", 0)
    ]  # fmt: skip
    found = [*inside, *after, *outside]
    page = {key for row in table(REFERENCE / "installer-log.md", "Key") for key in code_in(row[0])}
    assert {key for entry in found for key in entry} == page
    verbs = {verb for row in table(REFERENCE / "installer-log.md", "Key")[1:2] for verb in code_in(row[1])}
    assert {entry["verb"] for entry in found} <= verbs
    for entry in found:
        assert list(entry)[:4] == ["time", "verb", "exit", "message"]
    texts = (prefix.parent / "log").read_text(encoding="utf-8")
    for entry in outside:
        line = f"{entry['time']} {entry['verb']}: {entry['message']} (exit code {entry['exit']})"
        assert line in texts
