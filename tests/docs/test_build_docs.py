"""The pages build without a warning."""

import html
import re
import sys
from pathlib import Path

import pytest

from cuvee import process
from cuvee.cli.main import COMMANDS
from needed_programs import HANGING

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def built(docs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    for module in ("sphinx", "furo", "myst_parser"):
        pytest.importorskip(module, reason="needs the extra `docs`: pip install -e '.[docs]'")
    target = tmp_path_factory.mktemp("html")
    options = ("-W", "-n", "-q", "--keep-going", "-d", str(target / "doctrees"))
    argv = (sys.executable, "-m", "sphinx", *options, str(docs), str(target / "html"))
    done = process.run(process.Request(argv=argv, timeout=HANGING))
    assert done.ok, done.stderr
    return target / "html"


def test_every_page_is_reached(built: Path, docs: Path) -> None:
    expected = {
        path.relative_to(docs).with_suffix(".html").as_posix()
        for path in docs.rglob("*.md")
        if "_build" not in path.parts
    }
    found = {path.relative_to(built).as_posix() for path in built.rglob("*.html")}
    assert expected <= found


def test_the_command_line_is_complete(built: Path) -> None:
    page = (built / "reference" / "command-line.html").read_text(encoding="utf-8")
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    for name in COMMANDS:
        assert f'id="cuvee-{name}"' in page
    for option in ("--platform", "--dist", "--cache", "--refresh", "--json", "-q, --quiet", "-v, --verbose"):
        assert option in text
