"""One independent solve per record with py-rattler: what the channel checker is held to."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rattler import (
    BuildString,
    Channel,
    GenericVirtualPackage,
    MatchSpec,
    PackageName,
    SparseRepoData,
    Version,
    solve_with_sparse_repodata,
)
from rattler.exceptions import SolverError

from cuvee.conda.package_record import Record
from cuvee.conda.repodata import parse_repodata
from cuvee.conda.virtual_packages import VirtualPackage

Entry = dict[str, Any]


def entry(name: str, version: str = "1", build: str = "0", **more: Any) -> Entry:
    """Make one record of a repodata.json."""
    return {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "subdir": "linux-64",
        "depends": [],
        "size": 1,
    } | more


def write_repodata(folder: Path, entries: Iterable[Entry], subdir: str = "linux-64") -> Path:
    """Write a channel of one subdir; records get a made-up hash, so that one can be asked for."""
    packages = {}
    for number, item in enumerate(entries):
        file_name = f"{item['name']}-{item['version']}-{item['build']}.conda"
        packages[file_name] = {"md5": f"{number:032x}", "sha256": f"{number:064x}", **item}
    document = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": packages}
    path = folder / subdir / "repodata.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def read_records(path: Path) -> tuple[Record, ...]:
    """Return the records of a repodata.json."""
    return parse_repodata(path.read_bytes(), subdir=path.parent.name, where=str(path)).records


class Oracle:
    """Rattler's solver over the repodata of one platform."""

    def __init__(self, paths: Sequence[Path], virtual_packages: Iterable[VirtualPackage] = ()) -> None:
        self._sources = [
            SparseRepoData(Channel("https://example.org/channel"), path.parent.name, str(path))
            for path in paths
        ]
        self._virtual = [
            GenericVirtualPackage(PackageName(item.name), Version(item.version), BuildString(item.build))
            for item in virtual_packages
        ]

    def solvable(self, specs: Sequence[str], constraints: Sequence[str] = ()) -> bool:
        """Whether there is a solution."""

        async def solve() -> None:
            await solve_with_sparse_repodata(
                [MatchSpec(spec) for spec in specs],
                self._sources,
                virtual_packages=self._virtual,
                constraints=[MatchSpec(spec) for spec in constraints],
            )

        try:
            asyncio.run(solve())
        except SolverError:
            return False
        return True
