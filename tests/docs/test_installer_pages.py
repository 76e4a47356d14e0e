"""The pages for administrators name the options that installers take: all of them, and no others."""

import re
from pathlib import Path

import pytest
import yaml

from cuvee.installers.settings_reader import read_settings
from cuvee.installers.windows import msi_actions
from cuvee.runtime import failure
from docs_text import blocks, code_in, inline_code, table

PAGES = ("deploy.md", "administer.md", "verification.md", "fleet.md")
FOR_TESTS_AND_OTHERS = {"/NCRC", "/?", "/help", "/new-key", "/dry-run", "/KeepPkgCache"}
"""What NSIS itself takes, and second spellings."""


def words(text: str) -> set[str]:
    """Return the options in a text, long and short."""
    return set(re.findall(r"(?<![\w-])(-[a-z]|--[a-z][a-z-]+)(?![\w-])", text))


@pytest.fixture(scope="module")
def usage(root: Path) -> str:
    """The output of `-h` of a `.sh`."""
    texts = [path.read_text(encoding="utf-8") for path in (root / "src/cuvee/installers").rglob("*.sh.j2")]
    (found,) = (text.split("CUVEE_USAGE")[1] for text in texts if "<<'CUVEE_USAGE'" in text)
    return found


def test_every_option_of_the_sh_is_explained(docs: Path, usage: str) -> None:
    shown: set[str] = set()
    for name in PAGES:
        page = docs / "howto" / name
        for text in [*inline_code(page), *(block.text for block in blocks(page))]:
            shown |= words(text)
    # Asking questions is the default, and `--help` needs no explanation.
    assert words(usage) - {"-i", "--force", "--help"} <= shown
    options = {option for row in table(docs / "howto" / "deploy.md", "Option") for option in words(row[0])}
    assert options <= words(usage)


def test_options_of_the_exe_are_those_of_its_parser(root: Path, docs: Path) -> None:
    script = (root / "src/cuvee/installers/windows/nsi/options.nsh.j2").read_text(encoding="utf-8")
    parsed = {
        f"/{name}" for name in re.findall(r"!insertmacro (?:Switch|OtherVerb|ReadOnlyVerb) ([\w-]+)", script)
    }
    parsed |= set(re.findall(r'\$R[34] == "(/[^"$]+?)=?"', script))
    page = docs / "howto" / "windows.md"
    paragraph = page.read_text(encoding="utf-8").partition("## Query an installer")[2].partition("\n## ")[0]
    told = {code for row in table(page, "Option") for code in code_in(row[0])}
    told |= set(re.findall(r"[ `](/[a-zA-Z][^` ]*)", paragraph))
    told = {re.split(r"[=]", code)[0] for code in told if code.startswith("/")}
    assert told == parsed - FOR_TESTS_AND_OTHERS
    source = (root / "src/cuvee/installers/windows/nsi/usage.txt.j2").read_text(encoding="utf-8")
    helped = set(re.findall(r"(?<![\w|])(/[A-Za-z]\w*)", source))
    assert helped == parsed - FOR_TESTS_AND_OTHERS - {"/Q", "/Managed"}


def test_properties_of_the_msi_are_those_that_it_reads(docs: Path) -> None:
    told = {code for row in table(docs / "howto" / "windows.md", "Property") for code in code_in(row[0])}
    assert told == {*msi_actions.OPTIONS, "INSTALLDIR", "ALLUSERS"}


def test_shown_settings_are_read(docs: Path, tmp_path: Path) -> None:
    (shown,) = (
        block.text for block in blocks(docs / "howto" / "fleet.md") if block.text.startswith("condarc:")
    )
    (tmp_path / "installer.yaml").write_text(shown, encoding="utf-8")
    condarc = yaml.safe_load(read_settings(tmp_path)["linux"].condarc or "")
    assert condarc["proxy_servers"] == {"https": "http://proxy.example.org:3128"}


def test_exit_codes_of_the_exe(docs: Path) -> None:
    told = {int(row[0]) for row in table(docs / "howto" / "windows.md", "Exit code")}
    assert told == {*failure.EXIT_CODES}
