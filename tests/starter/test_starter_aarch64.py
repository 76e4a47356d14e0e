"""The starter's own installer for ARM64, run under QEMU from its description to its removal.

An emulated processor takes minutes for 40,000 files, so what needs no large release is tested with the tiny
one, in tests/release/test_aarch64_release.py: the check of the installer, what a verification tells, and the
repair.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cuvee import platforms, process
from cuvee.cache_folder import default_cache
from cuvee.integration.runners.protocol import Command, Runner, Sandbox
from cuvee.integration.runners.selection import select_runner
from needed_programs import HANGING, needs
from starter_release import Starter

pytestmark = [
    pytest.mark.real,
    pytest.mark.minutes(5),
    needs("apt-get"),
]

PLATFORM = "linux-aarch64"
WORK = """\
import io, platform, sys
import numpy, pandas, scipy.linalg, zstandard
from lxml import etree

print(platform.machine(), sys.prefix)
print(numpy.dot(numpy.arange(6.0).reshape(2, 3), [1, 2, 3]).tolist())
print(scipy.linalg.solve([[3.0, 1.0], [1.0, 2.0]], [9.0, 8.0]).round(9).tolist())
print(etree.parse(io.BytesIO("<a><b>Käse</b></a>".encode())).findtext("b"))
print(zstandard.decompress(zstandard.compress(b"arm" * 99_999)) == b"arm" * 99_999)
print(pandas.DataFrame({"key": list("aab"), "value": [1, 2, 4]}).groupby("key").value.sum().to_dict())
"""
WORKED = """\
aarch64 {prefix}
[8.0, 26.0]
[2.0, 3.0]
Käse
True
{{'a': 3, 'b': 4}}
"""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """An ARM machine of QEMU's, and the starter's installer on it."""

    runner: Runner
    place: Sandbox
    installer: Path
    record: Callable[[str, object], None]

    def installs(self, *arguments: str | Path) -> process.Completed:
        """Run the installer."""
        request = self.runner.install(self.place, self.installer, timeout=HANGING)
        head = request.argv[: request.argv.index(str(self.installer)) + 1]
        return self._timed(replace(request, argv=(*head, *map(str, arguments))), str(arguments[0]))

    def runs(self, program: str, *arguments: str) -> process.Completed:
        """Run a program of the release."""
        command = Command(program=program, arguments=arguments, cwd=self.place.temp, timeout=HANGING)
        return self._timed(self.runner.request(self.place, command), f"{program} {arguments[0]}")

    def _timed(self, request: process.Request, name: str) -> process.Completed:
        completed = process.run(request)
        self.record(f"{name}: seconds", round(completed.seconds, 1))
        return completed


@pytest.fixture
def arm(tmp_path: Path, starter: Starter, record_property: Callable[[str, object], None]) -> Arm:
    host = platforms.host()
    if host is not None and host.name == PLATFORM:
        pytest.skip("needs another processor than ARM64")
    runner, reason = select_runner(PLATFORM, emulate=True, cache=default_cache())
    if runner is None:
        pytest.skip(f"needs QEMU: {reason}")
    place = Sandbox(
        platform=PLATFORM, prefix=tmp_path / "in here", home=tmp_path / "home", temp=tmp_path / "tmp"
    )
    place.home.mkdir()
    place.temp.mkdir()
    installer = starter.installer(PLATFORM, "sh")
    return Arm(runner=runner, place=place, installer=installer, record=record_property)


def test_it_lives_its_whole_life(arm: Arm) -> None:
    told = json.loads(arm.installs("--info", "--json").stdout)
    assert (told["distribution"], told["version"], told["platform"]) == ("starter", "2026.11.0", PLATFORM)
    assert not list(arm.place.home.iterdir())

    prefix = arm.place.prefix
    installed = arm.installs("-b", "-p", prefix)
    assert installed.exit_code == 0, installed.stderr
    verified = arm.runs("starter-admin", "verify")
    assert verified.exit_code == 0, verified.stdout

    worked = arm.runs("python", "-I", "-c", WORK)
    assert worked.stdout == WORKED.format(prefix=prefix), worked.stderr
    assert arm.runs("tqdm", "--version").stdout.startswith("4.")
    told = json.loads(arm.runs("starter-info", "--json").stdout)
    assert (told["release"], told["platform"]) == ("starter-2026.11.0", PLATFORM)
    assert (told["added"], told["removed"], told["changed"], told["from-pip"]) == ([], [], [], [])

    removed = arm.runs("starter-admin", "uninstall")
    assert removed.exit_code == 0, removed.stderr
    assert sorted(path.name for path in prefix.parent.iterdir()) == ["home", "tmp"]
    assert not list(arm.place.temp.iterdir())
