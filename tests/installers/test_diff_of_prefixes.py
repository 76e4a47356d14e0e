"""``cuvee diff`` of real prefixes, as our installer and as rattler make them, and after pip was there."""

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

from cuvee import process
from cuvee.cli.main import run
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import write_lock
from needed_programs import HANGING
from tiny_release import RattlerPrefixes, Release

pytestmark = pytest.mark.real


@pytest.mark.parametrize("maker", ["ours", "rattler"])
def test_a_fresh_prefix_differs_in_nothing_and_a_changed_one_in_what_was_changed(
    maker: str, release: Release, linked: RattlerPrefixes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "tiny-1"
    write_lock(
        Lock(platforms=(release.lock,)),
        folder / "lock" / "pixi.lock",
        channels=(),
        own_channel="https://example.org/own",
    )
    prefix = tmp_path / "prefix"
    if maker == "ours":
        assert release.install("-b", "-p", prefix).ok
    else:
        prefix = Path(shutil.move(linked.at(prefix), prefix))

    def rows() -> dict[str, str]:
        capsys.readouterr()
        assert run(["diff", str(folder), str(prefix), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)["changes"]
        kinds = {"added", "removed", "files-changed"}
        return {row["package"]: str(row["details"]) for row in found if row["kind"] in kinds}

    assert rows() == {}
    (prefix / "share" / "tools" / "readme").write_text("edited")
    site = next(prefix.glob("lib/python3*/site-packages"))
    (site / "tools" / "cli.py").unlink()
    assert set(rows()) == {"tools"}
    assert "1 file changed: share/tools/readme" in rows()["tools"]
    assert "1 file missing: " in rows()["tools"]
    python = next((prefix / "bin").glob("python3.*"))
    command = (find_uv_bin(), "pip", "install", "--offline", "--no-deps", "--python", str(python))
    request = process.Request(
        argv=(*command, str(_wheel(tmp_path))), environment=dict(os.environ), timeout=HANGING
    )
    assert process.run(request).ok
    assert set(rows()) == {"tools", "added-by-pip (pypi)"}


def _wheel(folder: Path) -> Path:
    """Write a wheel."""
    path = folder / "added_by_pip-2.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("added_by_pip.py", "")
        archive.writestr(
            "added_by_pip-2.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("added_by_pip-2.0.dist-info/RECORD", "")
        archive.writestr(
            "added_by_pip-2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: Added_By.Pip\nVersion: 2.0\n"
        )
    return path
