"""The starter's own releases: cut from the Python index, or found where CUVEE_STARTER_DIST says."""

import pytest

from starter_release import Starter, starter_releases


@pytest.fixture(scope="session")
def starter() -> Starter:
    """Return releases and installers: ``starter.installer("win-64", "exe", "2026.11.1")``."""
    return starter_releases()
