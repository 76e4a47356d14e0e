"""The errata of a distribution that are about versions that come in."""

from collections.abc import Iterable

from cuvee.conda.package_record import LockedPackage
from cuvee.errata.errata_folder import read_errata
from cuvee.graph.release_graph import meets
from cuvee.manifest.folder_lookup import find_upwards
from cuvee.manifest.model import Manifest

FOLDER = "errata"


def errata_of(manifest: Manifest, packages: Iterable[LockedPackage]) -> tuple[str, ...]:
    """Return a sentence for each erratum whose flaw a package has.

    Errata are in a folder ``errata`` beside the manifest or above it; without one there are none.

    Raises
    ------
    DocumentError
        If one of them has problems.
    """
    folder = find_upwards(manifest.path.parent, FOLDER)
    if folder is None or not folder.is_dir():
        return ()
    found: dict[str, None] = {}
    known = tuple(packages)
    for erratum in read_errata(folder).errata:
        for flaw in erratum.flaws:
            for package in known:
                if package.name != flaw.package or not meets(f"{flaw.package} {flaw.affected}", package):
                    continue
                if flaw.fixed and meets(f"{flaw.package} {flaw.fixed} {flaw.fixed_build}", package):
                    continue
                found[f"{erratum.number}: {package.name} {package.version}: {erratum.title}"] = None
    return tuple(found)
