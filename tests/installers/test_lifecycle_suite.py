"""Suites of the kind ``lifecycle`` with the installers of two tiny releases, run for real."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from container_store import DEBIAN, debian_containers
from cuvee import platforms
from cuvee.files import sha256_file
from cuvee.image.settings import InstallerSettings
from cuvee.integration.lifecycle_plan import EarlierRelease, lifecycle_target, with_lifecycle
from cuvee.integration.model import Plan, PlannedSuite, SuiteKind
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.platform_run import run_platform
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Runner
from cuvee.integration.runners.selection import runner_at
from cuvee.progress import SILENT
from installers.conftest import Dress
from ssh_server import SshServer
from tiny_release import Release

pytestmark = pytest.mark.real

INFRA_ERROR, NOT_RUN = OutcomeState.INFRA_ERROR, OutcomeState.NOT_RUN
NOT_SUPPORTED = OutcomeState.NOT_SUPPORTED
OLD = "2026.11.0"
STEPS = (
    f"install {OLD}",
    f"upgrade from {OLD}",
    f"upgrade from {OLD}: as if newly installed",
    f"upgrade from {OLD}: files of the user",
    f"roll back to {OLD}",
    f"roll forth from {OLD}",
    f"uninstall after the upgrade from {OLD}",
)
SUITE = PlannedSuite(name="desktop", kind=SuiteKind.LIFECYCLE, targets=(lifecycle_target("desktop"),))


def platform() -> str:
    host = platforms.host()
    assert host is not None
    return host.name


def lifecycle(
    installer: Path,
    results: Path,
    *earlier: EarlierRelease,
    only: slice = slice(None),
    runner: Runner | None = None,
) -> Mapping[str, TestOutcome]:
    """The outcomes of the suite by test, or of some targets; those of the smoke suite are left out."""
    suite = with_lifecycle(SUITE, earlier, administered=True)
    suite = replace(suite, targets=suite.targets[only])
    plan = Plan(platform=platform(), packages=(), administered="tiny", smoke=False, suites=(suite,))
    run = run_platform(
        plan, installer=installer, runner=runner or NativeRunner(), results=results, reporter=SILENT
    )
    return {outcome.test: outcome for outcome in run.outcomes if outcome.suite == "desktop"}


def earlier(installer: Path) -> EarlierRelease:
    return EarlierRelease(version=OLD, installer=installer, sha256=sha256_file(installer))


def test_a_release_lives_from_its_installation_to_its_removal(
    release: Release, newer: Release, tmp_path: Path
) -> None:
    outcomes = lifecycle(newer.installer, tmp_path, earlier(release.installer))
    assert {outcome.state for outcome in outcomes.values()} == {OutcomeState.PASS}, [
        (outcome.test, outcome.reason) for outcome in outcomes.values()
    ]
    assert list(outcomes) == ["install", "verify", "repair", "uninstall", *STEPS]


LEAVES = """\
#!/bin/sh
echo mine >"$HOME/.tinyrc"
echo "$$" >"$PREFIX/etc/made"
rm -rf "$PREFIX/notes of the user"
"""


def test_what_a_release_breaks_is_red(release: Release, dress: Dress, tmp_path: Path) -> None:
    """Its script makes no two installations alike, loses a file of the user, and leaves one in the home."""
    broken = dress(InstallerSettings(post_install=LEAVES), upgrade=True)
    outcomes = lifecycle(broken.installer, tmp_path, earlier(release.installer))
    assert [name for name, outcome in outcomes.items() if outcome.state is not OutcomeState.PASS] == [
        "uninstall",
        *(name for name in STEPS if name.startswith(("upgrade from 2026.11.0:", "roll forth", "uninstall"))),
    ]
    assert ".tinyrc in <home>" in outcomes["uninstall"].reason
    assert "etc/made" in outcomes[STEPS[2]].reason
    assert "naïve plan.txt" in outcomes[STEPS[3]].reason
    assert (tmp_path / platform() / (outcomes["uninstall"].log or "")).is_file()
    assert outcomes[STEPS[-1]].state is NOT_RUN
    assert outcomes[STEPS[-1]].reason.startswith(f"{STEPS[-2]}: ")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    server = SshServer(tmp_path / "machine")
    monkeypatch.setenv("PATH", str(server.bin), prepend=":")
    yield server
    server.stop()


def test_another_machine_is_looked_at_and_nothing_stays_there(
    dress: Dress, tmp_path: Path, server: SshServer
) -> None:
    """Of a release that leaves a file in the home: the interpreter of another installation tells that."""
    broken = dress(InstallerSettings(post_install=LEAVES), upgrade=True)
    runner = runner_at(server.address)
    outcomes = lifecycle(broken.installer, tmp_path / "results", only=slice(1), runner=runner)
    states = {name: outcome.state.value for name, outcome in outcomes.items()}
    assert states == {"install": "pass", "verify": "pass", "repair": "pass", "uninstall": "fail"}, outcomes
    assert ".tinyrc in <home>" in outcomes["uninstall"].reason
    assert (server.left, list(server.home.iterdir())) == ([], [])


def test_a_release_lives_in_a_container_of_which_nothing_stays(
    release: Release, newer: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps with an earlier release; those without are tested on another machine."""
    store = debian_containers(tmp_path)
    monkeypatch.setenv("PATH", str(store.bin), prepend=":")
    runner, before = runner_at(f"container:{DEBIAN}"), earlier(release.installer)
    outcomes = lifecycle(newer.installer, tmp_path / "results", before, only=slice(1, None), runner=runner)
    states = {name: (outcome.state.value, outcome.reason) for name, outcome in outcomes.items()}
    assert states == dict.fromkeys(STEPS, ("pass", ""))
    assert store.containers == []


def test_installers_that_cannot_be_used(release: Release, tmp_path: Path) -> None:
    cut = tmp_path / "Tiny.sh"
    cut.write_bytes(release.installer.read_bytes()[:-1])
    absent = "the release folder of tiny-2026.10.0 is not here: copy it"
    unsupported = "its installers were made by constructor"
    others = [
        replace(earlier(release.installer), installer=cut),
        EarlierRelease(version="2026.10.0", absent=absent),
        EarlierRelease(version="2026.9.0", unsupported=unsupported),
    ]
    outcomes = lifecycle(release.installer, tmp_path / "results", *others, only=slice(1, 4))
    first, *after = (outcomes[name] for name in STEPS)
    assert (first.state, {outcome.state for outcome in after}) == (INFRA_ERROR, {NOT_RUN})
    assert "is not the one that its release.json names" in first.reason
    older = [outcome for name, outcome in outcomes.items() if "2026.10.0" in name]
    assert {(outcome.state, outcome.reason) for outcome in older} == {(NOT_RUN, absent)}
    oldest = [outcome for name, outcome in outcomes.items() if "2026.9.0" in name]
    assert {(outcome.state, outcome.reason) for outcome in oldest} == {(NOT_SUPPORTED, unsupported)}
