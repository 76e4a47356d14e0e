"""What is imported while the index is asked is there, and is what a run uses later."""

import sys
from pathlib import Path

import pytest
from jinja2 import Environment

from cuvee.release.imports_ahead import MODULES, import_ahead
from cuvee.report import html
from python_sources import SOURCE


def test_all_of_it_can_be_imported_and_no_template_is_compiled_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_ahead()
    assert sys.modules.keys() >= set(MODULES)
    monkeypatch.setattr(Environment, "compile", lambda *_, **__: pytest.fail("compiled again"))
    for name in ("page.html.j2", "package.html.j2", "platform.html.j2", "macros.html.j2"):
        assert html.environment().get_template(name).name == name


def test_the_templates_of_other_pages_are_there() -> None:
    folder = SOURCE / "report" / "templates"
    assert all(Path(folder, name).is_file() for name in html._OF_OTHERS)
