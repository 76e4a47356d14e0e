"""A folder of manifests to write into, as a repository has it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from patches_beside import write_patches

Writer = Callable[..., Path]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for folder in ("manifests/starter", "recipes/starter-tools", "installers/starter"):
        (tmp_path / folder).mkdir(parents=True)
    write_patches(tmp_path / "manifests/starter")
    return tmp_path


@pytest.fixture
def write(repository: Path) -> Writer:
    """Return a function that writes ``starter/<version>.yaml``, its first four keys filled in."""

    def writer(body: str, version: str = "2026.11.0", *, based_on: str | None = None) -> Path:
        path = repository / "manifests" / "starter" / f"{version}.yaml"
        head = f'manifest: 1\ndistribution: starter\nversion: "{version}"\n'
        head += f'based-on: "{based_on}"\n' if based_on else "title: Starter\n"
        path.write_text(head + body)
        return path

    return writer
