"""Plans and outcomes for the tests of this room."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.conda.package_record import LockedPackage
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.lock.model import PlatformLock

MakeOutcome = Callable[..., TestOutcome]


@pytest.fixture
def outcome() -> MakeOutcome:
    """Make an outcome of which only some values matter."""

    def make(test: str = "test_a", state: OutcomeState = OutcomeState.PASS, **values: object) -> TestOutcome:
        known: dict[str, object] = {"suite": "interop", "platform": "linux-64", "seconds": 0.25} | values
        return TestOutcome(test=test, state=state, **known)  # type: ignore[arg-type]

    return make


@pytest.fixture
def suites_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "integration_tests"
    (folder / "interop").mkdir(parents=True)
    return folder


def locked(*names: str, version: str = "1.0", platform: str = "linux-64") -> PlatformLock:
    packages = tuple(
        LockedPackage(
            name=name,
            version=version,
            build="0",
            build_number=0,
            platform=platform,
            subdir="noarch",
            url=f"channel/noarch/{name}-{version}-0.conda",
            channel="channel",
            sha256="0" * 64,
        )
        for name in sorted(names)
    )
    return PlatformLock(platform=platform, packages=packages, virtual_packages=())


@pytest.fixture
def make_lock() -> Callable[..., PlatformLock]:
    return locked
