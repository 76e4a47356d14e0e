"""Contents of archives that need not exist, for tests of checks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from checked_sets import manifest_of, package
from cuvee.channel.inspection.model import (
    ArchiveContents,
    ArchivedFile,
    Binary,
    PythonDistribution,
    SymbolVersion,
    UnreadableArchive,
)
from cuvee.conda.package_info import IndexJson
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.graph.checks import Check, CheckOutcome, run_checks
from cuvee.graph.findings import Finding
from cuvee.graph.release_graph import ReleaseGraph, build_graph, with_contents
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import Manifest

FLOORS = {
    "linux-64": (
        VirtualPackage(name="__glibc", version="2.28"),
        VirtualPackage(name="__archspec", version="1", build="x86_64"),
    ),
    "linux-aarch64": (VirtualPackage(name="__glibc", version="2.28"),),
    "osx-arm64": (VirtualPackage(name="__osx", version="11.0"),),
    "win-64": (VirtualPackage(name="__win", version="10"),),
}

A, B, C = (package(name) for name in "abc")
WIN = replace(package("a", platform="win-64"), build="w")
WIN_B = replace(package("b", platform="win-64"), build="w")
MAC = package("a", platform="osx-arm64")
PYTHON = package("python", "3.11.7")
PURE = package("p", subdir="noarch", noarch="python")
TOO = package("t", subdir="noarch", noarch="python")


Known = Mapping[LockedPackage, ArchiveContents | UnreadableArchive]


def file(path: str, content: str = "a", **changes: Any) -> ArchivedFile:
    """A regular file; ``content`` stands for its digest."""
    return replace(ArchivedFile(path=path, sha256=content * 64, size=1), **changes)


def link(path: str, target: str) -> ArchivedFile:
    """A symbolic link."""
    return ArchivedFile(path=path, file_type="softlink", link_target=target)


def distribution(folder: str, name: str, version: str) -> PythonDistribution:
    """A Python distribution whose metadata are in a folder."""
    return PythonDistribution(
        name=name, version=version, path=f"{folder}/{name}-{version}.dist-info/METADATA"
    )


def elf(path: str, *needed: str, wants: Sequence[str] = (), **changes: Any) -> Binary:
    """A library for linux-64; ``wants`` are ``library version``."""
    made = Binary(
        path=path,
        format="elf",
        machine="x86_64",
        needed=needed,
        required_versions=tuple(
            SymbolVersion(library=text.split()[0], version=text.split()[1]) for text in wants
        ),
    )
    return replace(made, **changes)


def pe(path: str, *needed: str, **changes: Any) -> Binary:
    """A library for win-64."""
    return replace(Binary(path=path, format="pe", machine="x86_64", needed=needed), **changes)


def dylib(path: str, *needed: str, **changes: Any) -> Binary:
    """A library for osx-arm64."""
    made = Binary(path=path, format="macho", machine="aarch64", needed=needed, is_inherited=True)
    return replace(made, **changes)


def archive(
    record: LockedPackage,
    *files: ArchivedFile | str,
    binaries: Sequence[Binary] = (),
    index: Mapping[str, Any] | None = None,
    **changes: Any,
) -> ArchiveContents:
    """Facts that agree with a record, but for what is changed; binaries are files too."""
    listed = [file(item) if isinstance(item, str) else item for item in files]
    listed += [file(path) for path in {item.path for item in binaries} - {item.path for item in listed}]
    own = IndexJson(
        name=record.name,
        version=record.version,
        build=record.build,
        build_number=record.build_number,
        subdir=record.subdir,
        noarch=record.noarch,
        depends=record.depends,
        constrains=record.constrains,
        license=record.license,
        timestamp=record.timestamp,
    )
    made = ArchiveContents(
        sha256=record.sha256,
        md5=record.md5 or "0" * 32,
        size=record.size,
        index=replace(own, **index or {}),
        files=tuple(sorted(listed, key=lambda item: item.path)),
        binaries=tuple(binaries),
    )
    return replace(made, **changes)


def graph_of(known: Known, manifest: Manifest | None = None, **graph: Any) -> ReleaseGraph:
    """The release graph of packages and what is known of them."""
    lock = Lock(
        platforms=tuple(
            PlatformLock(
                platform=platform,
                packages=tuple(item for item in known if item.platform == platform),
                virtual_packages=FLOORS[platform],
            )
            for platform in dict.fromkeys(item.platform for item in known)
        )
    )
    by_identifier = {item.identifier: value for item, value in known.items()}
    return with_contents(build_graph(manifest or manifest_of(), lock, **graph), by_identifier)


def checked(check: Check, known: Known, manifest: Manifest | None = None, **graph: Any) -> CheckOutcome:
    """Run one check."""
    (result,) = run_checks(graph_of(known, manifest, **graph), [check])
    return result


def told(findings: Sequence[Finding]) -> str:
    """Findings as people read them."""
    lines = []
    for item in findings:
        kind = f" ({item.kind})" if item.kind else ""
        lines += [f"{item.verdict.value} [{item.check}]{kind} {item.cause}"]
        lines += [f"  packages: {', '.join(item.packages)}"]
        lines += [f"  hits: {', '.join(item.victims)}"]
        lines += [f"  on: {', '.join(item.platforms)}"]
        lines += [f"  owners: {', '.join(item.owners) or 'nobody'}"]
        lines += [f"  - {line}" for line in item.evidence]
        lines += [f"  do: {item.action}"]
    return "".join(f"{line}\n" for line in lines) or "nothing\n"
