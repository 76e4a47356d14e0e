"""All checks, in the order in which people should read them."""

from cuvee.graph.checks.accepted_failures import AcceptedFailuresCheck
from cuvee.graph.checks.archive_integrity import ArchivesCheck, RecordCheck, TimestampsCheck
from cuvee.graph.checks.binary_portability import MachinesCheck, SearchPathsCheck
from cuvee.graph.checks.change_policy import ChangesCheck
from cuvee.graph.checks.check_interface import Check
from cuvee.graph.checks.closure import ClosureCheck
from cuvee.graph.checks.conflicts import ConstrainsCheck, ConstraintsCheck, FloorCheck
from cuvee.graph.checks.file_clashes import FileCaseCheck, FileClashesCheck
from cuvee.graph.checks.file_names import FileNamesCheck, LinkScriptsCheck, PathLengthsCheck
from cuvee.graph.checks.graph_structure import CyclesCheck, DuplicatesCheck
from cuvee.graph.checks.license_policy import LicensesCheck, UnknownLicensesCheck
from cuvee.graph.checks.manifest_names import ReferencesCheck, WaiversCheck
from cuvee.graph.checks.parity import AbsentPlatformsCheck, ParityCheck
from cuvee.graph.checks.patched_packages import PatchedCheck
from cuvee.graph.checks.path_ownership import ReservedPathsCheck
from cuvee.graph.checks.policy import AgeCheck, OriginCheck, OwnersCheck
from cuvee.graph.checks.python_packages import PythonDistributionsCheck, WheelFormatCheck
from cuvee.graph.checks.recipe_findings import RecipesCheck
from cuvee.graph.checks.record_metadata import MetadataCheck
from cuvee.graph.checks.set_membership import HandoversCheck, RemovalsCheck
from cuvee.graph.checks.shared_libraries import LibrariesCheck, SymbolVersionsCheck
from cuvee.graph.checks.source_changes import CorrectionsCheck, WithdrawnCheck
from cuvee.graph.checks.suite_owners import SuiteOwnersCheck
from cuvee.graph.checks.symbolic_links import LinksCheck
from cuvee.graph.checks.system_floor import SystemFloorCheck
from cuvee.graph.checks.tested_platforms import TestedCheck
from cuvee.graph.checks.variants import MutexesCheck, TrackFeaturesCheck

ARCHIVE_CHECKS: tuple[Check, ...] = (
    ArchivesCheck(),
    RecordCheck(),
    WheelFormatCheck(),
    FileClashesCheck(),
    PythonDistributionsCheck(),
    FileCaseCheck(),
    FileNamesCheck(),
    PathLengthsCheck(),
    ReservedPathsCheck(),
    LinksCheck(),
    LinkScriptsCheck(),
    LibrariesCheck(),
    SymbolVersionsCheck(),
    SearchPathsCheck(),
    MachinesCheck(),
    SystemFloorCheck(),
)
"""The checks that need the contents of archives."""

SOURCE_CHECKS = frozenset({CorrectionsCheck.identifier, WithdrawnCheck.identifier})
"""The checks that need to know what channels and the index have today."""

ALL_CHECKS: tuple[Check, ...] = (
    DuplicatesCheck(),
    MetadataCheck(),
    ClosureCheck(),
    FloorCheck(),
    ConstrainsCheck(),
    CyclesCheck(),
    MutexesCheck(),
    TrackFeaturesCheck(),
    ConstraintsCheck(),
    LicensesCheck(),
    UnknownLicensesCheck(),
    OwnersCheck(),
    HandoversCheck(),
    OriginCheck(),
    AgeCheck(),
    ChangesCheck(),
    RemovalsCheck(),
    PatchedCheck(),
    CorrectionsCheck(),
    WithdrawnCheck(),
    ParityCheck(),
    AbsentPlatformsCheck(),
    TimestampsCheck(),
    *ARCHIVE_CHECKS,
    RecipesCheck(),
    ReferencesCheck(),
    WaiversCheck(),
)
"""Every check of the locked release, in the order in which findings are shown."""

TEST_CHECKS: tuple[Check, ...] = (TestedCheck(), AcceptedFailuresCheck(), SuiteOwnersCheck())
"""The checks that come after the tests, since they are about what was tested."""
