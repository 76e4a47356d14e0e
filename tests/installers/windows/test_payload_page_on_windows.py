"""A reader made from the page of the payload format writes what the `.exe` and the `.msi` write."""

import json
from pathlib import Path

import pytest

from cuvee.files import sha256_file
from cuvee.image.model import Image
from cuvee.installers.branding import Branding
from cuvee.installers.windows.exe import build_exe
from cuvee.installers.windows.msi import build_msi
from cuvee.progress import SILENT
from docs_text import code_in, table
from installers.payload_containers import inner, read
from installers.payload_reader import Writer
from installers.test_payload_page import only_installed, tree
from needed_programs import need
from wine_desktop import Wine, windows

LOG = Path(__file__).parents[3] / "docs" / "reference" / "installer-log.md"

pytestmark = pytest.mark.real


def test_reader_of_the_page_writes_what_the_exe_writes(
    win_images: tuple[Image, Image], win_newer: Path, wine: Wine, tmp_path: Path
) -> None:
    installed = tmp_path / "Käse & Wein" / "tiny"
    assert wine.install(win_newer, installed, "/NoShortcuts=1", "/NoScripts=1").exit_code == 0
    twin = json.loads(wine.log("Tiny", "install", "json"))
    assert set(twin) == {code for row in table(LOG, "Name") for code in code_in(row[0])}
    container = read(win_newer)
    assert container.manifest_sha256 == win_images[1].manifest_sha256
    ours, theirs = tmp_path / "ours", tree(installed, container)
    ours.mkdir()
    Writer(container, ours, windows(installed)).write()
    # Permission bits mean nothing on Windows.
    found = {path: (kind, *facts) for path, (kind, _, *facts) in tree(ours, container).items()}
    alone = only_installed("tiny")
    assert found == {path: (kind, *facts) for path, (kind, _, *facts) in theirs.items() if path in found}
    more = [path for path in theirs.keys() - found.keys() if theirs[path][0] != "folder"]
    assert [path for path in more if alone.fullmatch(path) is None] == []


def test_reader_of_the_page_finds_the_exe_in_the_msi(
    win_image: Image, branding: Branding, tmp_path: Path
) -> None:
    need("makensis", "wixl", "msibuild")
    # As it is published: a solid block of LZMA.
    exe = build_exe(win_image, branding=branding, target=tmp_path / "Tiny.exe", reporter=SILENT)
    msi = build_msi(win_image, exe=exe, branding=branding, target=tmp_path / "Tiny.msi", reporter=SILENT)
    (tmp_path / "found.exe").write_bytes(inner(msi.read_bytes()))
    assert sha256_file(tmp_path / "found.exe") == sha256_file(exe)
    container = read(msi)
    assert container.manifest_sha256 == win_image.manifest_sha256
    early = {entry[3] for entry in container.manifest["stage0"]}
    assert early <= container.stage0.keys()
