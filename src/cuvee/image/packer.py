"""From a package's link plan and archive to frames, files of stage 0, and what its record needs."""

import posixpath
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.byte_code.batches import batches
from cuvee.byte_code.byte_compiler import ByteCompiler, PythonSource
from cuvee.conda.package_info import PackageInfo
from cuvee.errors import IntegrityError
from cuvee.image.archive_members import ArchiveMember, read_members
from cuvee.image.frames import CompressedFrame, Part, pack
from cuvee.image.linked_files import LinkedFiles
from cuvee.image.model import SOURCE_TIME, FileKind, PlannedFile
from cuvee.image.python_paths import PythonPaths
from cuvee.image.spool import Spool, SpooledBytes
from cuvee.image.stage0 import Stage0File
from cuvee.progress import SILENT, Reporter

_PYC_HEADER = 16
_COMPILED_AT_ONCE = 16 << 20
"""Bytes of sources that are in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedPackage:
    """A package, ready for the image.

    Attributes
    ----------
    files
        All of its files, byte code included.
    links
        Path to target of each symbolic link.
    stage0
        Its files in stage 0, each with the part from which the manifest's entry is made.
    """

    files: LinkedFiles
    links: Mapping[str, str]
    frames: tuple[CompressedFrame, ...]
    stage0: tuple[tuple[Stage0File, Part], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packer:
    """Packs packages; its attributes are the same for all packages of the image."""

    python: PythonPaths
    stage0: Collection[str]
    compiler: ByteCompiler | None
    cache: Path
    level: int
    reporter: Reporter = SILENT

    def pack(self, info: PackageInfo, plan: Sequence[PlannedFile]) -> PackedPackage:
        """Read, check, compile and compress one package, which may be larger than memory.

        Raises
        ------
        IntegrityError
            If a file differs from its hash or size in the package's own list.
        """
        with Spool(self.cache) as spool:
            return self._pack(info, plan, spool)

    def _pack(self, info: PackageInfo, plan: Sequence[PlannedFile], spool: Spool) -> PackedPackage:
        members = {member.path: member for member in read_members(info, spool)}
        files = [_checked(file, members, info) for file in plan]
        parts = {part.path: part for file in files if (part := _part(file, members))}
        times = _compiled_times(parts, self.python)
        compiled, made = self._compile(files, parts, times, spool)
        files = sorted((*files, *made), key=lambda file: file.path)
        times |= dict.fromkeys(compiled, SOURCE_TIME)
        for path, time in times.items():
            extra = None if time == SOURCE_TIME else time
            parts[path] = replace(parts[path], how="source", extra=extra)
        for source, data in compiled.items():
            path = self.python.pyc_path(source)
            parts[path] = Part(path=path, mode=0o644, data=data, how="plain")
        links = {file.path: _link_target(file, members, info) for file in files if file.kind is FileKind.LINK}
        return self._divide(files, parts, links)

    def _divide(
        self, files: Sequence[PlannedFile], parts: Mapping[str, Part], links: Mapping[str, str]
    ) -> PackedPackage:
        early = {path for path in parts if path in self.stage0 or self._source_of(path) in self.stage0}
        stage0 = []
        for path in sorted(early):
            data = parts[path].read()
            part = replace(parts[path], data=data)
            mtime = part.extra if part.how == "source" and isinstance(part.extra, int) else SOURCE_TIME
            stage0.append((Stage0File(path=path, mode=part.mode, data=data, mtime=mtime), part))
        for path in sorted(set(links) & set(self.stage0)):
            file = Stage0File(path=path, mode=0o777, data=b"", link_target=links[path])
            stage0.append((file, Part(path=path, mode=0o777, data=b"", how="link", extra=links[path])))
        late = [parts[file.path] for file in files if file.path in parts and file.path not in early]
        return PackedPackage(
            files=LinkedFiles.of(files, links),
            links=links,
            frames=tuple(pack(late, level=self.level, cache=self.cache, reporter=self.reporter)),
            stage0=tuple(stage0),
        )

    def _source_of(self, path: str) -> str | None:
        """Return the source that the byte code at ``path`` belongs to."""
        suffix = f".{self.python.cache_tag}.pyc"
        if not path.endswith(suffix):
            return None
        return path.removesuffix(suffix).replace("/__pycache__/", "/") + ".py"

    def _compile(
        self,
        files: Sequence[PlannedFile],
        parts: Mapping[str, Part],
        times: Mapping[str, int],
        spool: Spool,
    ) -> tuple[dict[str, SpooledBytes], list[PlannedFile]]:
        """Compile the sources without byte code; return it by source, and as planned files."""
        if self.compiler is None:
            return {}, []
        sources = [
            (name, parts[file.path])
            for file in files
            if (name := self.python.module_path(file.path))
            and file.kind is FileKind.PLAIN
            and file.path not in times
        ]
        compiled = {}
        for batch in batches(sources, lambda source: source[1].size, _COMPILED_AT_ONCE):
            results = self.compiler.compile(
                [PythonSource(name=name, data=part.read()) for name, part in batch], time=SOURCE_TIME
            )
            for (_, part), data in zip(batch, results, strict=True):
                if data is not None:
                    compiled[part.path] = spool.add((data,))
        made = [
            PlannedFile(
                path=self.python.pyc_path(path),
                source=None,
                kind=FileKind.PLAIN,
                path_type="pyc_file",
                sha256=data.sha256,
                size=data.size,
            )
            for path, data in compiled.items()
        ]
        return compiled, made


def _checked(file: PlannedFile, members: Mapping[str, ArchiveMember], info: PackageInfo) -> PlannedFile:
    """Check a file against its stated hash and size; return it with both."""
    if file.source is None or file.kind is FileKind.DIRECTORY:
        return file
    member = members[file.source]
    if (member.link_target is not None) != (file.kind is FileKind.LINK):
        raise IntegrityError(f"{info.archive.name}: {file.source} is not of the type that info/ lists")
    if file.kind is FileKind.LINK:
        return file
    digest, size = member.data.sha256, member.data.size
    if file.sha256 not in {None, digest} or file.size not in {None, size}:
        raise IntegrityError(
            f"{info.archive.name}: {file.source} differs from its hash or size in info/",
            hint="The package is broken or was tampered with; take it from another source.",
        )
    return replace(file, sha256=digest, size=size)


def _link_target(file: PlannedFile, members: Mapping[str, ArchiveMember], info: PackageInfo) -> str:
    target = members[file.source or ""].link_target or ""
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), target))
    if not target:
        raise IntegrityError(
            f"{info.archive.name} links {file.path} to nothing: the target is empty",
            hint="No system has such a link; leave the package out, or take another build.",
        )
    if target.startswith("/") or inside == ".." or inside.startswith("../"):
        raise IntegrityError(
            f"{info.archive.name} links {file.path} out of the prefix, to {target!r}",
            hint="The package is broken or hostile; take it from another source.",
        )
    return target


def _part(file: PlannedFile, members: Mapping[str, ArchiveMember]) -> Part | None:
    if file.kind in {FileKind.DIRECTORY, FileKind.LINK}:
        return None
    data: bytes | SpooledBytes
    if file.source is not None:
        data, mode = members[file.source].data, members[file.source].mode
    else:
        data, mode = file.content or b"", 0o755 if file.path_type == "unix_python_entry_point" else 0o644
    relocated = file.kind.is_relocated
    return Part(
        path=file.path,
        mode=mode | 0o400,
        data=data,
        how=file.kind.value if relocated else "plain",
        extra=file.placeholder if relocated else None,
    )


def _compiled_times(parts: Mapping[str, Part], python: PythonPaths) -> dict[str, int]:
    """Return the modification time of each source that has byte code in its package.

    Python ignores the byte code if its source has another time.
    """
    times = {}
    for path, part in parts.items():
        if part.how != "plain" or python.module_path(path) is None:
            continue
        compiled = parts.get(python.pyc_path(path))
        if compiled is None:
            continue
        header = compiled.read(_PYC_HEADER)
        flags, time = struct.unpack_from("<II", header, 4) if len(header) == _PYC_HEADER else (1, 0)
        times[path] = time if flags == 0 else SOURCE_TIME
    return times
