"""The same release made twice, under circumstances that must not matter, is the same byte for byte."""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cuvee import process
from needed_programs import HANGING

pytestmark = [pytest.mark.real, pytest.mark.minutes(2)]

TESTS = Path(__file__).parents[1]


def cut(folder: Path, time: str, umask: str, environment: Mapping[str, str]) -> dict[str, str]:
    home = folder / "home"
    home.mkdir(parents=True)
    configuration = os.environ.get("XDG_CONFIG_HOME", str(Path.home() / ".config"))  # names the index
    changed = {"HOME": str(home), "XDG_CONFIG_HOME": configuration, "PYTHONPATH": str(TESTS)}
    argv = (sys.executable, str(TESTS / "installers_again.py"), str(folder / "work"), time, umask)
    done = process.run(
        process.Request(
            argv=argv,
            cwd=folder,
            environment={**os.environ, **changed, **environment},
            timeout=HANGING,
        )
    )
    assert done.ok, done.stderr[-3000:]
    hashes: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return hashes


def test_installers_of_all_kinds(tmp_path: Path, host_platform: str) -> None:
    first = cut(
        tmp_path / "first", "2026-11-22T12:00:00+00:00", "022", {"TZ": "UTC", "LANG": "C", "USER": "one"}
    )
    second = cut(
        tmp_path / "another place" / "deep er",
        "2026-12-01T23:59:59+00:00",
        "077",
        {
            "TZ": "Pacific/Auckland",
            "LANG": "C.UTF-8",
            "USER": "two",
            "LOGNAME": "two",
            "HOSTNAME": "elsewhere",
            "PYTHONHASHSEED": "7",
            "SOURCE_DATE_EPOCH": "1",
        },
    )
    kinds = {Path(name).suffix for name in first}
    assert first == second
    assert {".sh", ".pkg"} <= kinds
    for kind, program, package in ((".exe", "makensis", "nsis"), (".msi", "wixl", "wixl")):
        if kind not in kinds:
            assert shutil.which(program) is None
            pytest.skip(f"the others are equal; {kind} needs {program}: Debian's package {package}")
