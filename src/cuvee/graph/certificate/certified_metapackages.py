"""What a certificate's metapackages must name: derived from its records, not from how they are made."""

from collections.abc import Iterable, Iterator, Sequence

from cuvee.graph.certificate.model import CertifiedRecord, PlatformProof


def metapackage_problems(release: str, platform: str, proof: PlatformProof) -> Iterator[str]:
    """Yield what is wrong with one platform's metapackages; a proof without any claims nothing of them.

    Parameters
    ----------
    release
        The release's name: ``starter-2026.11.0``.
    """
    if not proof.metapackages:
        return
    distribution, _, version = release.rpartition("-")
    everything = {record.name for record in proof.records}
    found = {record.name: record for record in proof.metapackages}
    known = [distribution, f"{distribution}-base", f"{distribution}-constraints"]
    names = [record.name for record in proof.metapackages]
    if names != [name for name in known if name in found] or not {known[0], known[2]} <= found.keys():
        yield f"metapackages: they are {', '.join(names)}, not {', '.join(known)}"
        return
    for name in sorted(found.keys() & everything):
        yield f"metapackages: {name} is also a package of the set"
    for record in proof.metapackages:
        if (record.version, record.subdir) != (version, platform):
            yield f"metapackages: {record.stem} of {record.subdir} is not of {release} on {platform}"
        yield from _wrong_specs(record, proof.records)
    parts = {
        name: ({_name(spec) for spec in record.depends}, {_name(spec) for spec in record.constrains})
        for name, record in found.items()
    }
    if parts[known[0]] != (everything, set()):
        yield f"metapackages: {known[0]} does not depend on exactly the packages of the set"
    if parts[known[2]] != (set(), everything):
        yield f"metapackages: {known[2]} does not constrain exactly the packages of the set"
    if known[1] in parts:
        yield from _open_base(known[1], *parts[known[1]], proof)


def _wrong_specs(record: CertifiedRecord, packages: Iterable[CertifiedRecord]) -> Iterator[str]:
    exact = {f"{item.name} =={item.version} {item.build}" for item in packages}
    specs: Sequence[str] = (*record.depends, *record.constrains)
    yield from (
        f"metapackages: {record.stem} names {spec!r}, which the set does not have"
        for spec in specs
        if spec not in exact
    )
    if list(specs) != sorted(set(specs), key=_name):
        yield f"metapackages: {record.stem} names packages twice, or not in the order of their names"


def _open_base(name: str, depends: set[str], constrains: set[str], proof: PlatformProof) -> Iterator[str]:
    """Yield what the packages of the base need and the base does not have."""
    if constrains or not depends:
        yield f"metapackages: {name} must depend on packages, and constrain none"
    names = {record.stem: record.name for record in proof.records}
    for edge in proof.edges:
        source, target = names.get(edge.get("from") or ""), names.get(edge.get("to") or "")
        if source in depends and target is not None and target not in depends:
            yield f"metapackages: {name} has {source}, and not {target}, which it depends on"


def _name(spec: str) -> str:
    return spec.partition(" ")[0]
