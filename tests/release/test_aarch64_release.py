"""The tiny release for ARM64: cut here, and run under QEMU from its installation to its end."""

from pathlib import Path

import pytest

from cuvee import platforms, process
from cuvee.integration.outcomes import OutcomeState
from cuvee.integration.runners.protocol import Command, Sandbox
from cuvee.integration.runners.selection import select_runner
from needed_programs import HANGING, needs
from tiny_distribution import Distribution, Recorder

pytestmark = pytest.mark.real

PLATFORM = "linux-aarch64"
CHECK = """\
import platform, sys, zstandard, tqdm
assert zstandard.decompress(zstandard.compress(b"arm" * 99)) == b"arm" * 99
print(platform.machine(), sys.prefix)
"""


@needs("apt-get")
def test_arm_release_lives_its_whole_life_under_qemu(tmp_path: Path, tiny_text: str) -> None:
    host = platforms.host()
    if host is not None and host.name == PLATFORM:
        pytest.skip("needs another processor than ARM64")
    distribution = Distribution(tmp_path, Recorder())
    runner, reason = select_runner(PLATFORM, emulate=True, cache=tmp_path / "cache")
    if runner is None:
        pytest.skip(f"needs QEMU: {reason}")
    text = tiny_text.replace("  win-64:", f'  {PLATFORM}: {{floor: {{glibc: "2.36"}}}}\n  win-64:')
    result = distribution.cut(distribution.write(text), PLATFORM, emulate=True)
    (run,) = result.runs
    states = {outcome.test: (outcome.state, outcome.reason) for outcome in run.outcomes}
    assert run.runner == "qemu"
    for test in (
        "install",
        "verify",
        "check",
        "interpreter",
        "import:attrs",
        "import:tqdm",
        "command:tqdm",
        "metadata:tqdm",
    ):
        assert states[test][0] is OutcomeState.PASS, (test, states[test])
    assert not result.verdict.exit_code

    (installer,) = (result.folder / "installers").glob("*.sh")
    place = Sandbox(platform=PLATFORM, prefix=tmp_path / "in here", home=tmp_path, temp=tmp_path)
    assert process.run(runner.install(place, installer, timeout=HANGING)).ok

    def run_in_it(program: str, *arguments: str) -> process.Completed:
        command = Command(program=program, arguments=arguments, cwd=tmp_path, timeout=HANGING)
        return process.run(runner.request(place, command))

    assert run_in_it("python", "-c", CHECK).stdout == f"aarch64 {place.prefix}\n"
    assert run_in_it("tiny-admin", "verify").exit_code == 0
    library = next(place.prefix.glob("lib/python3*/site-packages/tqdm/__init__.py"))
    library.write_text("spoilt")
    verified = run_in_it("tiny-admin", "verify")
    assert verified.exit_code == 1
    assert "changed: " in verified.stdout
    library.unlink()
    assert run_in_it("tiny-admin", "uninstall").exit_code == 0
    assert not place.prefix.exists()
