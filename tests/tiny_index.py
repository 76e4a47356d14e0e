"""Tiny channels that are only an index: for solving and explaining, nobody needs the archives."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cuvee.process  # noqa: F401 - read before fast tests take Popen away from it
from cuvee.files import sha256_bytes, write_json

STAMP = 1_700_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record of an index; ``day`` counts from a fixed time stamp."""

    name: str
    version: str
    depends: Sequence[str] = ()
    constrains: Sequence[str] = ()
    build: str = "0"
    number: int = 0
    subdir: str = "noarch"
    day: int = 0

    @property
    def file(self) -> str:
        return f"{self.name}-{self.version}-{self.build}.conda"


def entry(line: str, *, subdir: str = "noarch", day: int = 0, build: str = "0") -> Entry:
    """Read ``a 1.0: b >=1, c <2 ! d <3``: what stands behind ``!`` is constrained."""
    head, _, rest = line.partition(":")
    name, version = head.split()
    depends, _, constrains = rest.partition(" ! ")
    return Entry(
        name=name,
        version=version,
        depends=_listed(depends),
        constrains=_listed(constrains),
        subdir=subdir,
        day=day,
        build=build,
    )


def _listed(text: str) -> tuple[str, ...]:
    """Split at ``;``, since ranges have commas."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def write_index(folder: Path, entries: Iterable[Entry], *, platforms: Iterable[str] = ("linux-64",)) -> Path:
    """Write ``<subdir>/repodata.json`` of each subdir below ``folder``."""
    found = list(entries)
    for subdir in sorted({"noarch", *platforms}):
        records = {item.file: _record(item) for item in found if item.subdir == subdir}
        write_json(
            folder / subdir / "repodata.json",
            {"info": {"subdir": subdir}, "packages": {}, "packages.conda": records, "repodata_version": 1},
        )
    return folder


def _record(item: Entry) -> dict[str, object]:
    return {
        "name": item.name,
        "version": item.version,
        "build": item.build,
        "build_number": item.number,
        "subdir": item.subdir,
        "depends": list(item.depends),
        "constrains": list(item.constrains),
        "sha256": sha256_bytes(item.file.encode()),
        "size": 1,
        "timestamp": STAMP + item.day * 86_400_000,
    } | ({"noarch": "generic"} if item.subdir == "noarch" else {})


MANIFEST = """\
manifest: 1
distribution: tiny
version: "2026.11.0"
title: Tiny
platforms:
{platforms}
channels: [{channel}]
packages:
{packages}
installers: {{formats: {{linux: [], win: [], osx: []}}}}
{more}"""


def write_manifest(
    folder: Path,
    channel: Path,
    packages: str,
    *,
    platforms: str = 'linux-64: {floor: {glibc: "2.28"}}',
    more: str = "",
    version: str = "2026.11.0",
) -> Path:
    """Write a manifest over ``channel``; ``packages`` and ``platforms`` are lines of YAML, not indented."""
    path = folder / "tiny" / f"{version}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = MANIFEST.format(
        platforms=_indented(platforms), channel=channel, packages=_indented(packages), more=more
    )
    path.write_text(text, encoding="utf-8")
    return path


def _indented(lines: str) -> str:
    return "\n".join(f"  {line}" for line in lines.strip().splitlines())
