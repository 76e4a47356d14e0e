"""Imports of wheels in which uv's part and the launcher are played by the test."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from cuvee.channel.model import Interpreter
from cuvee.channel.patches.patch_files import PatchSet
from cuvee.channel.wheels import ImportedPackage, WheelRequest, gathering, import_wheels, importer
from cuvee.channel.wheels.model import PinnedWheel, ResolutionTarget
from cuvee.files import sha256_file
from cuvee.progress import Silent

PLATFORMS = ("linux-64", "win-64")


def pin(path: Path) -> PinnedWheel:
    name, version, _, _ = parse_wheel_filename(path.name)
    return PinnedWheel(
        name=name,
        version=version,
        file_name=path.name,
        url=path.as_uri(),
        sha256=sha256_file(path),
        size=path.stat().st_size,
    )


def everywhere(*wheels: PinnedWheel) -> dict[str, list[PinnedWheel]]:
    return {platform: list(wheels) for platform in PLATFORMS}


class Notes(Silent):
    def __init__(self) -> None:
        self.finished: list[tuple[str, str]] = []
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def finish(self, task: str, *, note: str = "") -> None:
        self.finished.append((task, note))


class World:
    """An import with everything of its own; uv's part and the launcher are played by the test."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pinned: dict[str, list[PinnedWheel]] = {}
        self.channel, self.cache = tmp_path / "channel", tmp_path / "cache"
        self.notes = Notes()
        self.patched: Sequence[PatchSet] = ()
        monkeypatch.setattr(gathering, "resolve", self._resolve)
        monkeypatch.setattr(importer, "windows_launcher", lambda: b"MZ")
        monkeypatch.setattr(importer, "running_compiler", lambda *_: None)  # which runs an interpreter

    def _resolve(self, requests: Sequence[WheelRequest], target: ResolutionTarget) -> Sequence[PinnedWheel]:
        return self.pinned.get(target.platform, [])

    def run(self, *requests: WheelRequest, carried: Sequence[str] = ()) -> tuple[ImportedPackage, ...]:
        return import_wheels(
            requests,
            {
                name: Interpreter(
                    platform=name, version="3.11.7", archive=Path("python.conda"), origin="a test"
                )
                for name in PLATFORMS
            },
            {"linux-64": {"glibc": "2.28"}, "win-64": {}},
            folder=self.channel,
            cache=self.cache,
            carried=carried,
            patched=self.patched,
            reporter=self.notes,
        )

    def files(self) -> list[str]:
        return sorted(path.relative_to(self.channel).as_posix() for path in self.channel.rglob("*.*"))


def request(name: str, *extras: str) -> WheelRequest:
    return WheelRequest(name=name, extras=extras, platforms=PLATFORMS, position="m.yaml:3:3")
