"""What the script that runs inside a release says of its distributions."""

import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from cuvee.integration.inside import describe_environment


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribution:
    """A distribution of a noarch package that was built on Unix, installed on Windows."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    info = tmp_path / "Lib" / "site-packages" / "tool-1.0.dist-info"
    info.mkdir(parents=True)
    (info.parent / "tool.py").write_text("")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tool\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[console_scripts]\ntool = tool:main\nmore = tool:more [cli,fast]\n"
        "[gui_scripts]\nwindow = tool:window\n[tool.plugins]\nother = tool:other\n"
    )
    rows = ("tool.py", "gone.py", "tool.pyc", "../../bin/tool", "../../../bin/tool", "../Scripts/tool.exe",
        "../../../share/man/tool.1", "../../share/gone")  # fmt: skip
    (info / "RECORD").write_text("".join(f"{row},,\n" for row in rows))
    return Distribution.at(info)


def test_files_where_they_were_when_the_package_was_built_are_not_missing(found: Distribution) -> None:
    assert describe_environment._missing(found) == ["gone.py", "../../share/gone"]


def test_commands_are_said_with_their_extras(found: Distribution) -> None:
    assert describe_environment._scripts(found) == {"tool": [], "more": ["cli", "fast"], "window": []}


def test_entry_points_of_no_known_form_are_no_commands(found: Distribution, tmp_path: Path) -> None:
    (tmp_path / "Lib/site-packages/tool-1.0.dist-info/entry_points.txt").write_text("[console_scripts\n")
    assert describe_environment._scripts(found) == {}
