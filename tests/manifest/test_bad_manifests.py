"""Every wrong manifest in ``bad/`` gets exactly the message in the ``.txt`` file beside it.

After changing a message on purpose, write the files again and review the difference::

    CUVEE_REGENERATE=1 pytest tests/manifest/test_bad_manifests.py

A first line ``# file: folder/name.yaml`` says where the manifest lies, if not in ``starter/2026.11.0.yaml``
or, for what is based on another, wherever its version says. What lies in ``bad/bases`` lies beside it.
"""

import datetime as dt
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from cuvee.errors import ManifestError
from cuvee.manifest import load_manifest
from patches_beside import write_patches

BAD = Path(__file__).parent / "bad"
TODAY = dt.date(2026, 11, 22)


def span(case: Path, root: Path) -> Path:
    """Copy a case and its possible bases below ``root``; give its path, relative to it."""
    text = case.read_bytes().decode(errors="replace")
    named = re.match(r"# file: (\S+)", text)
    version = re.search(r'^version: "(2026\.11\.\d+)"', text, flags=re.MULTILINE)
    path = Path(named[1] if named else f"starter/{version[1] if version else '2026.11.0'}.yaml")
    (root / path.parent).mkdir()
    for folder in ("recipes/starter-tools", "installers/starter"):
        (root / folder).mkdir(parents=True)
    write_patches(root / path.parent)
    for base in (BAD / "bases").iterdir():
        shutil.copy(base, root / path.parent)
    shutil.copy(case, root / path)
    return path


def message(path: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        load_manifest(path, today=TODAY)
    assert caught.value.hint
    assert caught.value.exit_code == 2
    return caught.value.message + "\n"


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="needs PyYAML with libyaml, whose words these follow")
@pytest.mark.parametrize("case", sorted(BAD.glob("*.yaml")), ids=lambda case: case.stem)
def test_a_wrong_manifest_gets_its_message(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rendered = message(span(case, tmp_path))
    golden = case.with_suffix(".txt")
    if os.environ.get("CUVEE_REGENERATE"):
        golden.write_text(rendered)
    assert rendered == golden.read_text()


def test_every_message_belongs_to_a_manifest() -> None:
    assert {path.stem for path in BAD.glob("*.txt")} == {path.stem for path in BAD.glob("*.yaml")}
    assert len(list(BAD.glob("*.yaml"))) >= 30


def test_paths_in_messages_are_as_the_user_named_them(tmp_path: Path) -> None:
    path = tmp_path / span(BAD / "misspelt-key.yaml", tmp_path)
    assert message(path).startswith(f"2 problems in {path}\n\n{path}:6:1: ")
