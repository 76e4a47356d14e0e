"""Packed packages in the cache: what has not changed is neither opened nor compressed again.

An entry has what the packer gives, but for the frames' bytes: those are files of their own, see `frames`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cuvee import checked_cache
from cuvee.byte_code.byte_compiler import ByteCompiler
from cuvee.codec import decode, encode
from cuvee.files import fingerprint, parse_json
from cuvee.folder_hashes import code_fingerprint
from cuvee.image.frames import CompressedFrame, Part
from cuvee.image.linked_files import LinkedFiles
from cuvee.image.model import PlannedFile
from cuvee.image.packer import PackedPackage, Packer
from cuvee.image.stage0 import Stage0File
from cuvee.progress import Reporter

_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedCache:
    """The packed packages of one image in the cache; they are the same for all images of these settings."""

    cache: Path
    shared: str
    stage0: frozenset[str]
    reporter: Reporter

    @classmethod
    def of(cls, packer: Packer) -> "PackedCache":
        """Return the packages that a packer would give."""
        import zstandard

        python, compiler = packer.python, packer.compiler
        shared = [
            code_fingerprint(),
            python.platform.name,
            python.full_version,
            python.site_packages,
            packer.level,
            packer.byte_code.value,
            zstandard.ZSTD_VERSION,
            None if compiler is None else _identity(compiler),
        ]
        return cls(
            cache=packer.cache,
            shared=fingerprint(shared),
            stage0=frozenset(packer.stage0),
            reporter=packer.reporter,
        )

    def path(self, sha256: str, plan: tuple[PlannedFile, ...]) -> Path:
        """Return where a package is, by the hash of its archive and by its link plan."""
        rows = [(file.path, file.source, file.original_path, file.sha256) for file in plan]
        early = sorted(self.stage0.intersection(file.path for file in plan))
        key = fingerprint([self.shared, sha256, rows, early])
        return self.cache / "packed" / key[:2] / key

    def load(self, path: Path) -> PackedPackage | None:
        """Return a packed package if all of its frames are in the cache, too.

        Their hashes are compared when they are written into the payload.
        """
        content = checked_cache.load(path, self.reporter)
        if content is None:
            return None
        size = int.from_bytes(content[:_LENGTH], "big")
        value = parse_json(bytes(content[_LENGTH : _LENGTH + size]))
        frames = tuple(self._frame(item) for item in value["frames"])
        if not all(map(self._is_there, frames)):
            return None
        early, at = [], _LENGTH + size
        for item in value["stage0"]:
            early.append(_early(item, bytes(content[at : at + item["size"]])))
            at += item["size"]
        return PackedPackage(
            files=decode(LinkedFiles, value["files"]),
            links=value["links"],
            frames=frames,
            stage0=tuple(early),
            compiled=tuple(tuple(entry) for entry in value["compiled"]),
        )

    def save(self, path: Path, packed: PackedPackage) -> None:
        """Keep a packed package."""
        value: dict[str, Any] = {
            "files": encode(packed.files),
            "links": dict(packed.links),
            "compiled": packed.compiled,
            "frames": [
                {
                    "file": frame.file.relative_to(self.cache).as_posix(),
                    "size": frame.size,
                    "raw": frame.raw,
                    "sha256": frame.sha256,
                    "entries": frame.entries,
                }
                for frame in packed.frames
            ],
            "stage0": [
                {
                    "path": file.path,
                    "mode": file.mode,
                    "mtime": file.mtime,
                    "link": file.link_target,
                    "how": part.how,
                    "extra": part.extra,
                    "size": len(file.data),
                }
                for file, part in packed.stage0
            ],
        }
        text = json.dumps(value, separators=(",", ":")).encode()
        data = [file.data for file, _ in packed.stage0]
        checked_cache.save(path, b"".join((len(text).to_bytes(_LENGTH, "big"), text, *data)))

    def _frame(self, value: dict[str, Any]) -> CompressedFrame:
        return CompressedFrame(
            file=self.cache / value["file"],
            size=value["size"],
            raw=value["raw"],
            sha256=value["sha256"],
            entries=tuple(value["entries"]),
        )

    def _is_there(self, frame: CompressedFrame) -> bool:
        """Whether a frame of this size is there; otherwise the packer makes it again, and says so."""
        try:
            return frame.file.stat().st_size == frame.size
        except OSError:
            return False


def _identity(compiler: ByteCompiler) -> str:
    return f"{compiler.full_version} {compiler.magic}"


def _early(value: dict[str, Any], data: bytes) -> tuple[Stage0File, Part]:
    path, mode, link = value["path"], value["mode"], value["link"]
    file = Stage0File(path=path, mode=mode, data=data, link_target=link, mtime=value["mtime"])
    return file, Part(path=path, mode=mode, data=data, how=value["how"], extra=value["extra"])
