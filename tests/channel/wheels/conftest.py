"""Small wheels, built in the test: good ones, and such as nobody should have made."""

import base64
import hashlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from played_imports import World

MakeWheel = Callable[..., Path]


def record_line(path: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f'"{path}",sha256={digest},{len(data)}\n'


def entry(name: str, *, mode: int = 0o100644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=(2024, 5, 6, 7, 8, 10))
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


@pytest.fixture
def make_wheel(tmp_path: Path) -> MakeWheel:
    """Return a function that writes a wheel into ``tmp_path / "index"``."""

    def make(
        file_name: str = "demo-1.0-py3-none-any.whl",
        files: Mapping[str, bytes] | None = None,
        *,
        metadata: str = "",
        entry_points: str = "",
        pure: bool = True,
        info: str | None = None,
        record: str | None = None,
        raw_wheel: str | None = None,
        raw: Callable[[zipfile.ZipFile], None] = lambda _: None,
    ) -> Path:
        project, version = file_name.split("-")[:2]
        info = info or f"{project}-{version}.dist-info"
        content = dict(files if files is not None else {f"{project}/__init__.py": b""})
        header = f"Metadata-Version: 2.4\nName: {project}\nVersion: {version}\n"
        content[f"{info}/METADATA"] = (metadata if "Name:" in metadata else header + metadata).encode()
        tags = f"Wheel-Version: 1.0\nRoot-Is-Purelib: {str(pure).lower()}\nTag: py3-none-any\n"
        content[f"{info}/WHEEL"] = (tags if raw_wheel is None else raw_wheel).encode()
        if entry_points:
            content[f"{info}/entry_points.txt"] = entry_points.encode()
        lines = "".join(record_line(name, data) for name, data in content.items()) + f"{info}/RECORD,,\n"
        content[f"{info}/RECORD"] = (lines if record is None else record).encode()
        path = tmp_path / "index" / file_name
        path.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in content.items():
                archive.writestr(entry(name), data)
            raw(archive)
        return path

    return make


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)
