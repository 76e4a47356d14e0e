"""Constructor projects, written by each test."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from constructing import MINIMAL, Read
from cuvee.installers.constructor.model import Project
from cuvee.installers.constructor.project_reader import read_project


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(
        text: str = "",
        platform: str = "linux-64",
        *,
        base: str = MINIMAL,
        environment: Mapping[str, str] | None = None,
        **files: str,
    ) -> Project:
        (tmp_path / "construct.yaml").write_text(base + text, encoding="utf-8")
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_text(content, encoding="utf-8")
        return read_project(tmp_path, platform, environment=environment or {})

    return write_and_read
