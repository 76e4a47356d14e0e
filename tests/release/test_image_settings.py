"""The image stage is done again when a setting, a script or an extra file of the installers changes."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

from checked_sets import manifest_of
from cuvee.codec import Json
from cuvee.lock.model import PlatformLock
from cuvee.progress import SILENT
from cuvee.release.image_stage import image_stage
from cuvee.release.session import Options, Session


def inputs(folder: Path | None, platform: str = "linux-64") -> Json:
    manifest = manifest_of()
    manifest = replace(manifest, installers=replace(manifest.installers, branding=folder))
    options = Options(dist=Path("dist"), cache=Path("cache"), now=dt.datetime(2026, 11, 22, tzinfo=dt.UTC))
    lock = PlatformLock(platform=platform, packages=(), virtual_packages=())
    stage = image_stage(Session(manifest, options, SILENT), lock)
    assert stage.name == f"image-{platform}"
    return stage.inputs


def test_settings_are_inputs_of_the_image(tmp_path: Path) -> None:
    def write(text: str, script: str = "a", extra: str = "b") -> Path:
        for name, content in (("installer.yaml", text), ("post.sh", script), ("extra", extra)):
            (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path

    text = "post_install: {linux: post.sh}\nextra_files: [extra]\n"
    first = inputs(write(text))
    assert first == inputs(write(text + "# a comment\n"))
    assert first not in (inputs(None), inputs(write(text, script="c")), inputs(write(text, extra="c")))
    assert inputs(write(text), "win-64") == inputs(write(text, script="c"), "win-64")
    (write(text) / "extra").chmod(0o755)
    assert first != inputs(tmp_path)
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    (moved / "extra").chmod(0o644)
    assert first == inputs(moved)
