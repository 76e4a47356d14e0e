"""The kinds of YAML documents besides manifests, and what reads each for users."""

from collections.abc import Callable
from pathlib import Path

from cuvee.cli.schema import documents
from cuvee.errata.errata_folder import read_erratum, read_publisher
from cuvee.installers.branding import read_branding
from cuvee.installers.settings_reader import read_settings
from cuvee.integration.accepted_tests import read_known_failures, read_quarantine
from cuvee.integration.suite_files import read_command_rules, read_suite
from cuvee.integration.suite_folders import read_suite_folder


def _read_suite(folder: Path) -> object:
    """Read a suite that is beside its file, of a manifest that has two owners."""
    return read_suite_folder(folder, "figures", ("pictures", "data"))


HERE = Path(__file__).parent / "manifest" / "documents"
DOCUMENTS = {name: document for name, document in documents().items() if name != "manifest"}
READERS: dict[str, Callable[[Path], object]] = {
    "installer": read_settings,
    "branding": read_branding,
    "suite": _read_suite,
    "smoke": lambda folder: read_command_rules(folder / "smoke.yaml"),
    "upstream": lambda folder: read_suite(folder, "upstream"),
    "known-failures": lambda folder: read_known_failures(folder / "known-failures.yaml"),
    "quarantine": lambda folder: read_quarantine(folder / "quarantine.yaml", ("core", "data")),
    "erratum": lambda folder: read_erratum(folder / "erratum.yaml"),
    "publisher": lambda folder: read_publisher(folder / "publisher.yaml"),
}
