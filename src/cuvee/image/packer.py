"""From a package's link plan and archive to frames, files of stage 0, and what its record needs."""

import posixpath
import struct
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.byte_code.batches import batches
from cuvee.byte_code.byte_compiler import ByteCompiler, PythonSource, dated
from cuvee.conda.package_info import PackageInfo
from cuvee.errors import IntegrityError
from cuvee.image.archive_members import ArchiveMember, read_members
from cuvee.image.frames import CompressedFrame, Part, pack
from cuvee.image.linked_files import LinkedFiles
from cuvee.image.model import SOURCE_TIME, FileKind, PlannedFile
from cuvee.image.python_paths import PythonPaths
from cuvee.image.settings import ByteCode
from cuvee.image.spool import Spool, SpooledBytes
from cuvee.image.stage0 import Stage0File
from cuvee.progress import SILENT, Reporter

_PYC_HEADER = 16
_PYC = PlannedFile(path="", source=None, kind=FileKind.PLAIN, path_type="pyc_file")
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
    compiled
        The byte code that desktops make: path, mode, size, SHA-256.
    """

    files: LinkedFiles
    links: Mapping[str, str]
    frames: tuple[CompressedFrame, ...]
    stage0: tuple[tuple[Stage0File, Part], ...]
    compiled: tuple[tuple[str, int, int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Packer:
    """Packs packages; its attributes are the same for all packages of the image.

    With `ByteCode.DESKTOP` the compiler must be of the very version of the release's Python.
    """

    python: PythonPaths
    stage0: Collection[str]
    compiler: ByteCompiler | None
    cache: Path
    level: int
    byte_code: ByteCode = ByteCode.INSTALLER
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
        files = {file.path: _checked(file, members, info) for file in plan}
        parts = {file.path: part for file in files.values() if (part := _part(file, members))}
        times = _compiled_times(parts, self.python)
        sources = self._sources(files, parts)
        late = set() if self.byte_code is ByteCode.INSTALLER else sources.keys() - set(self.stage0)
        if self.byte_code is ByteCode.NONE:
            for source in late:
                del sources[source]
                if times.pop(source, None) is not None:
                    del files[self.python.pyc_path(source)], parts[self.python.pyc_path(source)]
        todo = {path: name for path, name in sources.items() if path in late or path not in times}
        compiled = self._compile(todo, parts, times, spool)
        for source, data in compiled.items():
            path = self.python.pyc_path(source)
            mode = parts[path].mode if path in parts else 0o644
            parts[path] = Part(path=path, mode=mode, data=data, how="plain")
            files[path] = replace(files.get(path) or _PYC, path=path, sha256=data.sha256, size=data.size)
            times.setdefault(source, SOURCE_TIME)
        for path, time in times.items():
            extra = None if time == SOURCE_TIME else time
            parts[path] = replace(parts[path], how="source", extra=extra)
        made = {self.python.pyc_path(source) for source in compiled.keys() & late}
        in_order = sorted(files.values(), key=lambda file: file.path)
        links = {
            file.path: _link_target(file, members, info) for file in in_order if file.kind is FileKind.LINK
        }
        return self._divide(in_order, parts, links, made)

    def _divide(
        self,
        files: Sequence[PlannedFile],
        parts: Mapping[str, Part],
        links: Mapping[str, str],
        made: Collection[str],
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
        packed = [part for part in late if part.path not in made]
        return PackedPackage(
            files=LinkedFiles.of(files, links),
            links=links,
            frames=tuple(pack(packed, level=self.level, cache=self.cache, reporter=self.reporter)),
            stage0=tuple(stage0),
            compiled=tuple(
                (part.path, part.mode, part.size, part.sha256) for part in late if part.path in made
            ),
        )

    def _source_of(self, path: str) -> str | None:
        """Return the source that the byte code at ``path`` belongs to."""
        suffix = f".{self.python.cache_tag}.pyc"
        if not path.endswith(suffix):
            return None
        return path.removesuffix(suffix).replace("/__pycache__/", "/") + ".py"

    def _sources(self, files: Mapping[str, PlannedFile], parts: Mapping[str, Part]) -> dict[str, str]:
        """Return the sources that may have byte code, by path, with their names in it."""
        return {
            path: name
            for path, file in files.items()
            if (name := self.python.module_path(path))
            and file.kind is FileKind.PLAIN
            and (self.python.pyc_path(path) in parts or self.python.pyc_path(path) not in files)
        }

    def _compile(
        self,
        sources: Mapping[str, str],
        parts: Mapping[str, Part],
        times: Mapping[str, int],
        spool: Spool,
    ) -> dict[str, SpooledBytes]:
        """Compile sources; return the byte code of those that compile, by source."""
        if self.compiler is None:
            return {}
        compiled = {}
        for batch in batches(sources, lambda path: parts[path].size, _COMPILED_AT_ONCE):
            results = self.compiler.compile(
                [PythonSource(name=sources[path], data=parts[path].read()) for path in batch],
                time=SOURCE_TIME,
            )
            for path, result in zip(batch, results, strict=True):
                data = dated(result, times[path]) if path in times else result
                if data is not None:
                    compiled[path] = spool.add((data,))
        return compiled


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
    return file if (file.sha256, file.size) == (digest, size) else replace(file, sha256=digest, size=size)


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
