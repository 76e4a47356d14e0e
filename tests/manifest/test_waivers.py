import datetime as dt
from pathlib import Path

import pytest

from cuvee.manifest.model import Position, Waiver


def waiver(check: str, *, package: str | None = None, platform: str | None = None) -> Waiver:
    return Waiver(
        check=check,
        package=package,
        platform=platform,
        reason="known",
        author="qa",
        expires=dt.date(2027, 1, 31),
        position=Position(file=Path("m.yaml"), line=1, column=1),
    )


@pytest.mark.parametrize(
    ("scope", "is_covered"),
    [
        (waiver("parity"), True),
        (waiver("parity", package="numpy"), True),
        (waiver("parity", package="scipy"), False),
        (waiver("parity", platform="win-64"), False),
        (waiver("closure"), False),
        (waiver("par*"), False),
        (waiver("*"), False),
    ],
)
def test_a_waiver_of_a_check_covers_findings_within_its_scope(scope: Waiver, is_covered: bool) -> None:
    assert scope.covers("parity", packages=["numpy"], platforms=["linux-64", "win-64"]) is is_covered


def test_a_waiver_for_a_platform_covers_what_is_on_that_platform_only() -> None:
    scope = waiver("parity", platform="win-64")
    assert scope.covers("parity", packages=(), platforms=["win-64"])
    assert not scope.covers("parity", packages=(), platforms=["win-64", "linux-64"])


@pytest.mark.parametrize(
    ("scope", "is_covered"),
    [
        (waiver("interop/test_a[x]"), True),
        (waiver("interop/test_*"), True),
        (waiver("Interop/*"), False),
        (waiver("smoke/*"), False),
        (waiver("interop/*", package="scipy"), False),
    ],
)
def test_a_waiver_of_tests_may_be_a_pattern(scope: Waiver, is_covered: bool) -> None:
    assert scope.covers("interop/test_a[x]", packages={"numpy"}, platforms={"win-64"}) is is_covered
