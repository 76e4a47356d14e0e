"""Pairs of packages that are tested together, and how a new version of one breaks the other."""

import struct
from collections.abc import Mapping
from ctypes.util import find_library
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import index_channel

TIME = 1_700_000_000_000
OLD, NEW = "1.0", "2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One kind of break between two packages.

    Attributes
    ----------
    at_fault, user
        The package whose version 2.0 is broken, and the one that uses it.
    good, bad
        Files of both versions, below ``site-packages``.
    uses
        The module of the package that uses it.
    test
        The body of the test that crosses both.
    says
        A part of the failed test's first line.
    user_data
        More files of the package that uses it.
    """

    kind: str
    at_fault: str
    user: str
    good: Mapping[str, bytes]
    bad: Mapping[str, bytes]
    uses: str
    test: str
    says: str
    user_data: Mapping[str, bytes] = field(default_factory=dict)

    def write(self, channel: Path) -> None:
        """Write both versions, and the package that uses them, into the channel's ``noarch``."""
        for version, files in ((OLD, self.good), (NEW, self.bad)):
            _write(channel, self.at_fault, version, files, ("python",))
        files = {f"{self.user}/__init__.py": self.uses.encode()}
        files |= {f"{self.user}/{name}": data for name, data in self.user_data.items()}
        _write(channel, self.user, OLD, files, ("python", self.at_fault))

    @property
    def test_name(self) -> str:
        return f"test_{self.kind.replace('-', '_')}"

    def test_source(self) -> str:
        body = "\n".join(f"    {line}" for line in self.test.strip().splitlines())
        mark = f'@pytest.mark.packages("{self.user}", "{self.at_fault}")'
        return f"{mark}\ndef {self.test_name}():\n{body}\n"


def _write(
    channel: Path, name: str, version: str, files: Mapping[str, bytes], depends: tuple[str, ...]
) -> None:
    content = PackageContent(
        name=name,
        version=version,
        build="py_0",
        subdir="noarch",
        noarch="python",
        timestamp=TIME,
        license="MIT",
        license_files={"LICENSE": b"MIT"},
        depends=depends,
        files=tuple(
            PackageFile(path=f"site-packages/{path}", content=data) for path, data in sorted(files.items())
        ),
    )
    write_package(content, channel / "noarch")


def write_breaks(channel: Path, breaks: tuple[Break, ...]) -> None:
    """Write a channel with all packages of ``breaks``."""
    (channel / "noarch").mkdir(parents=True)
    for item in breaks:
        item.write(channel)
    index_channel(channel, ())


def suite_source(breaks: tuple[Break, ...]) -> str:
    """Return a file of tests, one for each break."""
    return "\n\n".join(["import pytest\n", *(item.test_source() for item in breaks)])


def _dist_info(name: str, version: str, entry_points: str) -> dict[str, bytes]:
    folder = f"{name}-{version}.dist-info"
    files = {f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()}
    if entry_points:
        files[f"{folder}/entry_points.txt"] = entry_points.encode()
    record = "".join(f"{path},,\n" for path in (*files, f"{folder}/RECORD", f"{name}.py"))
    return {**files, f"{folder}/RECORD": record.encode()}


REMOVED_API = Break(
    kind="removed-api",
    at_fault="framelib",
    user="frameexport",
    good={"framelib.py": b"def to_rows(table):\n    return list(zip(*table.values()))\n"},
    bad={"framelib.py": b"def rows(table):\n    return list(zip(*table.values()))\n"},
    uses="import framelib\n\n\ndef export(table):\n    return framelib.to_rows(table)\n",
    test="import frameexport\nassert frameexport.export({'a': [1, 2], 'b': [3, 4]}) == [(1, 3), (2, 4)]",
    says="module 'framelib' has no attribute 'to_rows'",
)

CHANGED_DTYPE = Break(
    kind="changed-dtype",
    at_fault="gaugelib",
    user="gaugesum",
    good={"gaugelib.py": b"from array import array\n\n\ndef read():\n    return array('d', [0.1] * 10)\n"},
    bad={"gaugelib.py": b"from array import array\n\n\ndef read():\n    return array('f', [0.1] * 10)\n"},
    uses="import math\n\nimport gaugelib\n\n\ndef total():\n    return math.fsum(gaugelib.read())\n",
    test="import gaugesum\nassert abs(gaugesum.total() - 1) < 1e-12",
    says="assert",
)

VANISHED_ENTRY_POINT = Break(
    kind="vanished-entry-point",
    at_fault="readerplug",
    user="readerhost",
    good={
        "readerplug.py": b"def read(text):\n    return text.split(',')\n",
        **_dist_info("readerplug", OLD, "[readerhost.readers]\ncsv = readerplug:read\n"),
    },
    bad={
        "readerplug.py": b"def read(text):\n    return text.split(',')\n",
        **_dist_info("readerplug", NEW, ""),
    },
    uses=(
        "from importlib.metadata import entry_points\n\n\ndef readers():\n"
        "    return {point.name: point.load() for point in entry_points(group='readerhost.readers')}\n"
    ),
    test="import readerhost\nassert readerhost.readers()['csv']('a,b') == ['a', 'b']",
    says="KeyError: 'csv'",
)

_PALETTE = (
    b"from importlib.resources import files\n\n\n"
    b"def load():\n    return files(__name__).joinpath('red.txt').read_text()\n"
)
MISSING_DATA_FILE = Break(
    kind="missing-data-file",
    at_fault="palettelib",
    user="palettechart",
    good={"palettelib/__init__.py": _PALETTE, "palettelib/red.txt": b"#ff0000"},
    bad={"palettelib/__init__.py": _PALETTE},
    uses="import palettelib\n\n\ndef colour():\n    return palettelib.load()\n",
    test="import palettechart\nassert palettechart.colour() == '#ff0000'",
    says="FileNotFoundError",
)

_MODEL = b"class Model:\n    def __init__(self, weight=0):\n        self.weight = weight\n"
BROKEN_PICKLE = Break(
    kind="broken-pickle",
    at_fault="modellib",
    user="modelstore",
    good={"modellib/__init__.py": b"", "modellib/core.py": _MODEL},
    bad={"modellib/__init__.py": b"", "modellib/base.py": _MODEL},
    uses="import pickle\n\n\ndef load(data):\n    return pickle.loads(data)\n",
    # As release 1.0 wrote it, with protocol 0.
    test=(
        "import modelstore\n"
        "stored = b'ccopy_reg\\n_reconstructor\\n(cmodellib.core\\nModel\\nc__builtin__\\nobject\\nNtR'\n"
        "stored += b'(dVweight\\nI7\\nsb.'\n"
        "assert modelstore.load(stored).weight == 7"
    ),
    says="ModuleNotFoundError: No module named 'modellib.core'",
)

# RFC 8536, version 1: no transitions, one local time type at UTC+1, "CET".
_CET = b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + struct.pack(">lbb", 3600, 0, 0) + b"CET\0"
_ZONES = {
    f"tzdata/{path}": b"" for path in ("__init__.py", "zoneinfo/__init__.py", "zoneinfo/Europe/__init__.py")
}
MISSING_TIME_ZONE = Break(
    kind="missing-time-zone",
    at_fault="tzdata",
    user="daylib",
    good={**_ZONES, "tzdata/zoneinfo/Europe/Berlin": _CET},
    bad=_ZONES,
    uses=(
        "import datetime\nimport zoneinfo\n\nzoneinfo.reset_tzpath([])\n\n\ndef noon(zone):\n"
        "    return datetime.datetime(2026, 1, 1, 12, tzinfo=zoneinfo.ZoneInfo(zone))\n"
    ),
    test="import daylib\nassert daylib.noon('Europe/Berlin').utcoffset().total_seconds() == 3600",
    says="No time zone found with key Europe/Berlin",
)

_LOAD = """\
import ctypes
from pathlib import Path

threads = ctypes.CDLL(str(Path(__file__).parent / "{path}")).omp_get_max_threads()
"""


def two_openmp() -> Break | None:
    """Return the break by a second OpenMP runtime; `None` on a host without GCC's, which it copies."""
    name = find_library("gomp")
    folders = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
    found = [path for folder in folders if name and (path := Path(folder, name)).is_file()]
    if not found:
        return None
    runtime = found[0].resolve().read_bytes()
    return Break(
        kind="two-openmp-runtimes",
        at_fault="treelib",
        user="openmplib",
        good={"treelib/__init__.py": b"threads = 1\n"},
        bad={
            "treelib/__init__.py": _LOAD.format(path="libgomp-a34b3233.so.1").encode(),
            "treelib/libgomp-a34b3233.so.1": runtime,
        },
        uses=_LOAD.format(path="libgomp.so.1"),
        user_data={"libgomp.so.1": runtime},
        test=(
            "import openmplib, treelib\nfrom threadpoolctl import threadpool_info\n"
            "runtimes = {pool['filepath'] for pool in threadpool_info() if pool['user_api'] == 'openmp'}\n"
            "assert len(runtimes) == 1, f'{len(runtimes)} OpenMP runtimes are loaded in one process'"
        ),
        says="2 OpenMP runtimes are loaded in one process",
    )
