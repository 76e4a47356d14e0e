"""Checks: each is a small class with a pure function from the release graph to findings."""

from cuvee.graph.checks.archives import Archives, Record, Timestamps
from cuvee.graph.checks.base import Check, CheckResult, Severity, Status, documentation
from cuvee.graph.checks.binaries import Machines, SearchPaths
from cuvee.graph.checks.changes import Changes
from cuvee.graph.checks.closure import Closure
from cuvee.graph.checks.conflicts import Constrains, Constraints, Floor
from cuvee.graph.checks.files import FileCase, FileClashes
from cuvee.graph.checks.libraries import Libraries, SymbolVersions
from cuvee.graph.checks.licenses import Licenses, UnknownLicenses
from cuvee.graph.checks.metadata import Metadata
from cuvee.graph.checks.missing import missing_names
from cuvee.graph.checks.names import FileNames, Links, LinkScripts, PathLengths
from cuvee.graph.checks.parity import AbsentPlatforms, Parity
from cuvee.graph.checks.policy import Age, Origin, Owners
from cuvee.graph.checks.running import run_checks
from cuvee.graph.checks.selecting import left_out, verify_settings
from cuvee.graph.checks.shape import Cycles, Duplicates
from cuvee.graph.checks.system_floor import SystemFloor
from cuvee.graph.checks.variants import Mutexes, TrackFeatures

ARCHIVE_CHECKS: tuple[Check, ...] = (
    Archives(),
    Record(),
    FileClashes(),
    FileCase(),
    FileNames(),
    PathLengths(),
    Links(),
    LinkScripts(),
    Libraries(),
    SymbolVersions(),
    SearchPaths(),
    Machines(),
    SystemFloor(),
)
"""The checks that look into archives."""

ALL_CHECKS: tuple[Check, ...] = (
    Duplicates(),
    Metadata(),
    Closure(),
    Floor(),
    Constrains(),
    Cycles(),
    Mutexes(),
    TrackFeatures(),
    Constraints(),
    Licenses(),
    UnknownLicenses(),
    Owners(),
    Origin(),
    Age(),
    Changes(),
    Parity(),
    AbsentPlatforms(),
    Timestamps(),
    *ARCHIVE_CHECKS,
)
"""Every check, in the order in which people read their findings."""

__all__ = [
    "ALL_CHECKS",
    "ARCHIVE_CHECKS",
    "Check",
    "CheckResult",
    "Severity",
    "Status",
    "documentation",
    "left_out",
    "missing_names",
    "run_checks",
    "verify_settings",
]
