"""The starter's own releases: cut from the Python index, or found where CUVEE_STARTER_DIST says."""

import pytest

from starter_release import Starter, part_releases, starter_releases


@pytest.fixture(scope="session")
def starter() -> Starter:
    """Return releases and installers: ``starter.installer("linux-64", "sh")``."""
    return starter_releases()


@pytest.fixture(scope="session")
def part() -> Starter:
    """Return those of a part of it: ``part.installer("win-64", "exe", "2026.11.1")``."""
    return part_releases()
