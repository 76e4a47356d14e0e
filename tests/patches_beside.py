"""Patch files beside manifests of tests."""

from pathlib import Path


def write_patches(folder: Path) -> None:
    """Write the patch files that manifests of these tests name."""
    (folder / "patches").mkdir()
    for name in ("one.patch", "two.patch", "test_one.py"):
        (folder / "patches" / name).write_text("")
