"""Breaks between packages: the right test turns red, and the report's cause names the right package."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from broken_packages import (
    BROKEN_PICKLE,
    CHANGED_DTYPE,
    MISSING_DATA_FILE,
    MISSING_TIME_ZONE,
    NEW,
    OLD,
    REMOVED_API,
    VANISHED_ENTRY_POINT,
    Break,
    suite_source,
    two_openmp,
    write_breaks,
)
from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import OutcomeState
from cuvee.release.record import Release
from cuvee.report.failure_causes import failure_causes
from tiny_distribution import Distribution, Recorder

pytestmark = pytest.mark.real

BREAKS = (
    REMOVED_API,
    CHANGED_DTYPE,
    VANISHED_ENTRY_POINT,
    MISSING_DATA_FILE,
    BROKEN_PICKLE,
    MISSING_TIME_ZONE,
)
OPENMP = "two-openmp-runtimes"

PATCH = """\
manifest: 1
distribution: tiny
based-on: "2026.11.0"
version: "{version}"
packages:
  {package}: {{version: "=={new}"}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A release in which everything works, and what can be broken in it."""

    distribution: Distribution
    release: Release
    breaks: Mapping[str, Break]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, tiny_text: str, host_platform: str) -> Base:
    distribution = Distribution(tmp_path_factory.mktemp("breaks"), Recorder())
    openmp = two_openmp()
    breaks = (*BREAKS, openmp) if openmp else BREAKS
    write_breaks(distribution.root / "channel", breaks)
    suite = distribution.root / "integration_tests" / "crossing"
    suite.mkdir(parents=True)
    (suite / "test_pairs.py").write_text(suite_source(breaks), encoding="utf-8")
    release = distribution.cut(distribution.write(manifest(tiny_text, breaks)), host_platform)
    return Base(distribution=distribution, release=release, breaks={item.kind: item for item in breaks})


def manifest(tiny_text: str, breaks: tuple[Break, ...]) -> str:
    """Return the tiny manifest with the packages of the breaks, each at fault having an owner of its own."""
    owners = "".join(f"  {item.at_fault}-team: {{contact: {item.at_fault}@example.org}}\n" for item in breaks)
    packages = "".join(
        f'  {item.at_fault}: {{version: "=={OLD}", owner: {item.at_fault}-team}}\n'
        f'  {item.user}: {{version: "*", owner: core}}\n'
        for item in breaks
    )
    return (
        tiny_text.replace("suites: [smoke]", "suites: [smoke, crossing]")
        .replace("interpreter: host", "channels: [../../channel]\ninterpreter: host")
        .replace("owners:\n", f"owners:\n{owners}")
        .replace("wheels: [tqdm", "wheels: [pytest, threadpoolctl, tqdm")
        .replace("packages:\n", f'packages:\n  pytest: ">=8"\n  threadpoolctl: "*"\n{packages}')
    )


def test_all_tests_pass_while_nothing_is_broken(base: Base) -> None:
    states = {item.test: item.state for item in base.release.outcomes if item.suite == "crossing"}
    tests = {f"test_pairs.py::{item.test_name}" for item in base.breaks.values()}
    assert states == dict.fromkeys(tests, OutcomeState.PASS)
    assert not [item for item in base.release.outcomes if item.state.blocks]
    assert failure_causes(base.release, {}) == ()


@pytest.mark.parametrize("kind", [*(item.kind for item in BREAKS), OPENMP])
def test_the_right_test_turns_red_and_the_cause_names_the_package(
    base: Base, kind: str, host_platform: str
) -> None:
    broken = base.breaks.get(kind)
    if broken is None:
        pytest.skip("needs libgomp.so.1 (Debian package libgomp1)")
    version = f"2026.11.{1 + list(base.breaks).index(kind)}"
    patch = PATCH.format(version=version, package=broken.at_fault, new=NEW)
    second = base.distribution.cut(base.distribution.write(patch, version), host_platform, keep_going=True)
    (red,) = [outcome for outcome in second.outcomes if outcome.state.blocks]
    # Only this one: the smoke suite imports the broken package without noticing anything.
    assert (red.suite, red.test) == ("crossing", f"test_pairs.py::{broken.test_name}")
    assert red.state is OutcomeState.REGRESSION
    assert broken.says in red.reason
    (cause,) = failure_causes(second, {})
    assert cause.suspects == (f"{broken.at_fault} {OLD} → {NEW}",)
    assert cause.packages == (broken.at_fault,)
    assert cause.contacts == {f"{broken.at_fault}-team": f"{broken.at_fault}@example.org"}
    assert second.verdict is Verdict.BLOCKED
    page = (second.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert f"since {broken.at_fault} {OLD} → {NEW}" in page
