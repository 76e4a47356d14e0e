"""A constructor project with a channel of its own, one package of which changes."""

import hashlib
import io
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import zstandard

_LEVEL = 3


class ChangingProject:
    """A copy of a constructor project and its channel, whose packages can be changed."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.folder = folder / "project"
        self.channel = folder / "channel"
        shutil.copytree(project, self.folder)
        source = (project / "../../../channel").resolve()
        shutil.copytree(source, self.channel, copy_function=_link_archive)
        text = self._text().replace('"../../../channel"', f'"{self.channel}"')
        (self.folder / "construct.yaml").write_text(text, encoding="utf-8")
        platforms = (project.name, "noarch")
        found = [path for name in platforms for path in (self.channel / name).glob("*.conda")]
        self.archives = [path for path in found if f"[sha256={_sha256(path)}]" in text]

    def of_median_size(self) -> Path:
        """Return the archive of median size that has Python sources."""
        sizes = sorted((path.stat().st_size, path) for path in self.archives if "-py" in path.name)
        return sizes[len(sizes) // 2][1]

    def named(self, name: str) -> Path:
        """Return the archive of a package."""
        return next(path for path in self.archives if path.name.rsplit("-", 2)[0] == name)

    def change(self, archive: Path, number: int) -> None:
        """Add a line to the first source of a package, and name the new archive wherever the old one is."""
        old = _sha256(archive)
        _rewrite(archive, f"\n# {number}\n".encode())
        new = _sha256(archive)
        repodata = archive.parent / "repodata.json"
        value = json.loads(repodata.read_bytes())
        record = value["packages.conda"][archive.name]
        record |= {"sha256": new, "size": archive.stat().st_size}
        record["md5"] = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
        repodata.write_text(json.dumps(value), encoding="utf-8")
        text = self._text().replace(old, new)
        (self.folder / "construct.yaml").write_text(text, encoding="utf-8")

    def _text(self) -> str:
        return (self.folder / "construct.yaml").read_text(encoding="utf-8")


def _link_archive(source: str, target: str) -> None:
    if source.endswith(".conda"):
        try:
            os.link(source, target)
        except OSError:
            shutil.copy(source, target)
    else:
        shutil.copy(source, target)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _rewrite(archive: Path, line: bytes) -> None:
    """Write a package again whose first source ends with another line."""
    stem = archive.name.removesuffix(".conda")
    with zipfile.ZipFile(archive) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    changed: dict[str, bytes] = {}

    def add_line(name: str, data: bytes) -> bytes:
        if not changed and name.endswith(".py"):
            changed[name] = data + line
        return changed.get(name, data)

    def list_it(name: str, data: bytes) -> bytes:
        if name != "info/paths.json":
            return data
        value = json.loads(data)
        for entry in value["paths"]:
            if entry["_path"] in changed:
                new = changed[entry["_path"]]
                entry |= {"sha256": hashlib.sha256(new).hexdigest(), "size_in_bytes": len(new)}
        return json.dumps(value).encode()

    for name, edit in ((f"pkg-{stem}.tar.zst", add_line), (f"info-{stem}.tar.zst", list_it)):
        parts[name] = _edited(parts[name], edit)
    beside = archive.with_suffix(".part")
    with zipfile.ZipFile(beside, "w") as new:
        for name, data in parts.items():
            new.writestr(name, data)
    beside.replace(archive)  # the old one may be a hard link to that of a release


def _edited(data: bytes, edit: Callable[[str, bytes], bytes]) -> bytes:
    stream = io.BytesIO(zstandard.ZstdDecompressor().stream_reader(data).read())
    result = io.BytesIO()
    with tarfile.open(fileobj=stream) as old, tarfile.open(fileobj=result, mode="w") as new:
        for member in old:
            content = old.extractfile(member) if member.isreg() else None
            if content is None:
                new.addfile(member)
                continue
            edited = edit(member.name, content.read())
            member.size = len(edited)
            new.addfile(member, io.BytesIO(edited))
    return zstandard.ZstdCompressor(level=_LEVEL).compress(result.getvalue())
