"""The tutorial shows what its reader will see."""

import datetime as dt
from pathlib import Path

import pytest

from cuvee.errors import ManifestError
from cuvee.manifest import load_manifest, manifest_export
from docs_text import Block, blocks

TODAY = dt.date(2026, 11, 22)


@pytest.fixture
def shown(docs: Path) -> list[Block]:
    return blocks(docs / "tutorial" / "first-distribution.md")


def texts(shown: list[Block], start: str) -> list[str]:
    """Return the blocks that begin with ``start``, in order."""
    return [block.text for block in shown if block.text.startswith(start)]


def write(folder: Path, version: str, text: str) -> Path:
    path = folder / "manifests" / "lab" / f"{version}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_manifests_are_shown_as_cuvee_shows_them(shown: list[Block], tmp_path: Path) -> None:
    first, patch = texts(shown, "manifest: 1")
    of_first, of_patch = texts(shown, "packages:")
    base = write(tmp_path, "2026.11.0", first)
    assert of_first in manifest_export.as_yaml(load_manifest(base, today=TODAY))

    (part,) = texts(shown, "# part of a manifest")
    package, wheels = part.splitlines()[2:]
    lines = first.splitlines()
    rich = next(number for number, line in enumerate(lines) if line.startswith("  rich:"))
    lines.insert(rich + 1, package)
    more = "\n".join(lines).replace("wheels: [click, rich]", wheels)
    write(tmp_path, "2026.11.0", more + "\n")
    assert of_patch in manifest_export.as_yaml(
        load_manifest(write(tmp_path, "2026.11.1", patch), today=TODAY)
    )


def test_the_mistake_is_answered_as_shown(
    shown: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(Path(), "2026.11.0", texts(shown, "manifest: 1")[0].replace("packages:", "packges:"))
    with pytest.raises(ManifestError) as caught:
        load_manifest(path, today=TODAY)
    (answer,) = texts(shown, "error:")
    assert answer.strip() == f"error: {caught.value.message}".strip()
