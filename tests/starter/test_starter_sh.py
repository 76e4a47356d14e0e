"""The starter's own `.sh`, from its description to its removal.

All of it where it is cut, and a part of it for ARM64, under QEMU: an emulated processor takes minutes for
40,000 files. What needs no such libraries is tested with the tiny release, in
tests/release/test_aarch64_release.py: the check of the installer, what a verification tells, and the repair.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cuvee import platforms, process
from cuvee.cache_folder import default_cache
from cuvee.integration.runners.protocol import Command, Runner, Sandbox
from cuvee.integration.runners.selection import select_runner
from needed_programs import HANGING, needs
from starter_release import Starter

pytestmark = [
    pytest.mark.real,
    pytest.mark.minutes(3),
]

ARM = "linux-aarch64"
WORK = """\
import io, platform, sys
import numpy, pandas, zstandard
from lxml import etree

print(platform.machine(), sys.prefix)
print(numpy.dot(numpy.arange(6.0).reshape(2, 3), [1, 2, 3]).tolist())
print(numpy.linalg.solve([[3.0, 1.0], [1.0, 2.0]], [9.0, 8.0]).round(9).tolist())
print(etree.parse(io.BytesIO("<a><b>Käse</b></a>".encode())).findtext("b"))
print(zstandard.decompress(zstandard.compress(b"arm" * 99_999)) == b"arm" * 99_999)
print(pandas.DataFrame({"key": list("aab"), "value": [1, 2, 4]}).groupby("key").value.sum().to_dict())
"""
WORKED = """\
{machine} {prefix}
[8.0, 26.0]
[2.0, 3.0]
Käse
True
{{'a': 3, 'b': 4}}
"""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """This machine, or an ARM machine of QEMU's, and the starter's installer on it."""

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
def machine(tmp_path: Path, record_property: Callable[[str, object], None]) -> Callable[..., Machine]:
    """Return what makes one, for a platform."""

    def make(platform: str, starter: Starter, *, emulate: bool = False) -> Machine:
        runner, reason = select_runner(platform, emulate=emulate, cache=default_cache())
        if runner is None:
            pytest.skip(f"needs QEMU: {reason}")
        place = Sandbox(
            platform=platform, prefix=tmp_path / "in here", home=tmp_path / "home", temp=tmp_path / "tmp"
        )
        place.home.mkdir()
        place.temp.mkdir()
        installer = starter.installer(platform, "sh")
        return Machine(runner=runner, place=place, installer=installer, record=record_property)

    return make


@needs("gcc", "make")
def test_all_of_it_lives_its_whole_life(machine: Callable[..., Machine], starter: Starter) -> None:
    host = platforms.host()
    if host is None or host.name != "linux-64":
        pytest.skip("needs Linux on x86-64")
    pytest.importorskip("rattler_build", reason="needs py-rattler-build")
    here = machine(host.name, starter)
    assert check_life(here, "x86_64")["files"] > 30_000


@needs("apt-get")
def test_a_part_lives_its_whole_life_on_arm(machine: Callable[..., Machine], part: Starter) -> None:
    host = platforms.host()
    if host is not None and host.name == ARM:
        pytest.skip("needs another processor than ARM64")
    check_life(machine(ARM, part, emulate=True), "aarch64")


def check_life(machine: Machine, processor: str) -> dict[str, Any]:
    """Check each step, and return what the verification told."""
    platform, prefix = machine.place.platform, machine.place.prefix
    told = json.loads(machine.installs("--info", "--json").stdout)
    assert (told["distribution"], told["version"], told["platform"]) == ("starter", "2026.11.0", platform)
    assert not list(machine.place.home.iterdir())

    installed = machine.installs("-b", "-p", prefix)
    assert installed.exit_code == 0, installed.stderr
    verified = machine.runs("starter-admin", "verify", "--json")
    assert verified.exit_code == 0, verified.stdout

    worked = machine.runs("python", "-I", "-c", WORK)
    assert worked.stdout == WORKED.format(machine=processor, prefix=prefix), worked.stderr
    assert machine.runs("tqdm", "--version").stdout.startswith("4.")
    told = json.loads(machine.runs("starter-info", "--json").stdout)
    assert (told["release"], told["platform"]) == ("starter-2026.11.0", platform)
    assert (told["added"], told["removed"], told["changed"], told["from-pip"]) == ([], [], [], [])

    removed = machine.runs("starter-admin", "uninstall")
    assert removed.exit_code == 0, removed.stderr
    assert sorted(path.name for path in prefix.parent.iterdir()) == ["home", "tmp"]
    assert not list(machine.place.temp.iterdir())
    return dict(json.loads(verified.stdout))
