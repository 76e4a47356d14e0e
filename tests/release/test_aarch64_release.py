"""The tiny release for ARM64: cut here, and run under QEMU from its installation to its end."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from carrying_packages import BAD, GOOD, write_carriers
from cuvee import platforms, process
from cuvee.integration.outcomes import OutcomeState
from cuvee.integration.runners.protocol import Command, Runner, Sandbox
from cuvee.integration.runners.selection import select_runner
from needed_programs import HANGING, needs
from tiny_distribution import Distribution, Recorder

pytestmark = pytest.mark.real

PLATFORM = "linux-aarch64"
CARRIERS = tuple(
    item for item in (*GOOD, *BAD) if item.name in {"condaone", "contentsone", "rattlerone", "scriptbad"}
)
SUITES = {"own": "packaged", "desktop": "lifecycle"}
"""The kinds of suites that QEMU runs, beside `smoke`."""

OWN = {
    "attrs::python": "pass",
    "condaone::run_test.py": "pass",
    "condaone::run_test.sh": "pass",
    "contentsone::package_contents": "pass",
    "rattlerone::downstream:absent": "not-supported",
    "rattlerone::downstream:condaone": "pass",
    "rattlerone::downstream:condaone-2": "not-supported",
    "rattlerone::python": "pass",
    "rattlerone::script": "pass",
    "rattlerone::script-2": "pass",
    "rattlerone::script-3": "pass",
    "scriptbad::script": "fail",
    "scriptbad::script-2": "fail",
    "tqdm::python": "pass",
}
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
    write_carriers(tmp_path / "channel", CARRIERS)
    for suite, kind in SUITES.items():
        folder = tmp_path / "integration_tests" / suite
        folder.mkdir(parents=True)
        (folder / "suite.yaml").write_text(f"{{title: Suite, owner: core, kind: {kind}}}")
    carriers = "".join(f'  {item.name}: "*"\n' for item in CARRIERS)
    text = (
        tiny_text.replace("  win-64:", f'  {PLATFORM}: {{floor: {{glibc: "2.36"}}}}\n  win-64:')
        .replace("suites: [smoke]", f"suites: [smoke, {', '.join(SUITES)}]")
        .replace("interpreter: host", "channels: [../../channel]\ninterpreter: host")
        .replace("packages:\n", f"packages:\n{carriers}")
    )
    result = distribution.cut(distribution.write(text), PLATFORM, emulate=True)
    (run,) = result.runs
    states = {
        outcome.test: (outcome.state, outcome.reason) for outcome in run.outcomes if outcome.suite == "smoke"
    }
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
    own = {outcome.test: outcome.state.value for outcome in run.outcomes if outcome.suite == "own"}
    assert {test: own.get(test) for test in OWN} == OWN
    desktop = {outcome.test: outcome for outcome in run.outcomes if outcome.suite == "desktop"}
    assert list(desktop) == ["install", "verify", "repair", "uninstall"]
    assert {outcome.state for outcome in desktop.values()} == {OutcomeState.PASS}, desktop
    blocking = {outcome.test for outcome in run.outcomes if outcome.state.blocks}
    assert blocking == {"scriptbad::script", "scriptbad::script-2"}

    (installer,) = (result.folder / "installers").glob("*.sh")
    check_installer(runner, installer, tmp_path)


def check_installer(runner: Runner, installer: Path, tmp_path: Path) -> None:
    """Run the installer, and the commands that it installs, from its check to the removal."""
    place = Sandbox(platform=PLATFORM, prefix=tmp_path / "in here", home=tmp_path, temp=tmp_path)

    def run_it(*arguments: str | Path) -> process.Completed:
        request = runner.install(place, installer, timeout=HANGING)
        head = request.argv[: request.argv.index(str(installer)) + 1]
        return process.run(replace(request, argv=(*head, *map(str, arguments))))

    checked = run_it("--check")
    assert (checked.exit_code, "are whole" in checked.stdout) == (0, True), checked
    assert not place.prefix.exists()
    assert process.run(runner.install(place, installer, timeout=HANGING)).ok

    def run_in_it(program: str, *arguments: str) -> process.Completed:
        command = Command(program=program, arguments=arguments, cwd=tmp_path, timeout=HANGING)
        return process.run(runner.request(place, command))

    assert run_in_it("python", "-c", CHECK).stdout == f"aarch64 {place.prefix}\n"
    assert run_in_it("tiny-admin", "verify").exit_code == 0
    check_repair(place.prefix, run_in_it, run_it)
    assert run_in_it("python", "-c", CHECK).stdout == f"aarch64 {place.prefix}\n"
    assert run_in_it("tiny-admin", "uninstall").exit_code == 0
    assert not place.prefix.exists()


def check_repair(
    prefix: Path, run_in_it: Callable[..., process.Completed], run_it: Callable[..., process.Completed]
) -> None:
    """Change a file and remove one; both are told, and made again."""
    library = next(prefix.glob("lib/python3*/site-packages/tqdm/__init__.py"))
    original = library.read_bytes()
    library.write_text("spoilt")
    missing = library.with_name("cli.py")
    missing.unlink()
    verified = run_in_it("tiny-admin", "verify", "--json")
    found = json.loads(verified.stdout)
    assert (verified.exit_code, found["changed"], found["missing"]) == (
        1,
        [str(library.relative_to(prefix))],
        [str(missing.relative_to(prefix))],
    )
    repaired = run_it("--repair", "-p", prefix)
    assert repaired.exit_code == 0, repaired.stderr
    assert (library.read_bytes(), missing.exists()) == (original, True)
    (saved,) = (path for path in (prefix / "cuvee-saved").rglob("*") if path.is_file())
    assert saved.read_text(encoding="utf-8") == "spoilt"
    shutil.rmtree(prefix / "cuvee-saved")
