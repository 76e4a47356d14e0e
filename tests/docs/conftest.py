"""The pages, as text: the repository's own and those below ``docs``."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("integration_tests/*.md"),
        *ROOT.glob("benchmarks/*.md"),
        *(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts),
    ]
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes ``page`` once per page."""
    if "page" in metafunc.fixturenames:
        names = [path.relative_to(ROOT).as_posix() for path in PAGES]
        metafunc.parametrize("page", PAGES, ids=names)


@pytest.fixture(scope="session")
def docs() -> Path:
    """The folder with the pages that Sphinx builds."""
    return ROOT / "docs"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
