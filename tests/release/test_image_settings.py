"""The image stage is done again when a setting, a script or an extra file of the installers changes."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cuvee.installers.settings_reader import read_settings
from cuvee.lock.model import PlatformLock
from cuvee.release.artefacts import Archives, image_stage
from cuvee.release.inputs import plain


def inputs(folder: Path | None, platform: str = "linux-64") -> Any:
    seen: list[Any] = []

    def stage(name: str, found: list[Any], work: Callable[[], Any]) -> None:
        assert (name, callable(work)) == (f"image-{platform}", True)
        seen.append(found)

    manifest = SimpleNamespace(
        distribution="tiny", version="2026.11.0", title="Tiny", requirements=lambda _: []
    )
    context: Any = SimpleNamespace(
        manifest=manifest, stage=stage, signer=None, publish=False, settings=read_settings(folder)
    )
    lock = PlatformLock(platform=platform, packages=(), virtual_packages=())
    image_stage(context, lock, Archives(context))
    return plain(seen)


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
