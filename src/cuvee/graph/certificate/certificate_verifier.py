"""The verification of a certificate from its records; short enough to be audited at once.

It refuses a file that differs in one byte from what was written (it has its own hash), one that has more or
less than the format, one whose proof has a gap or a wrong step, and one that is not about the given lock.
Only the meaning of a match spec is left to rattler.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from cuvee.errors import IntegrityError
from cuvee.graph.certificate.certificate_format import MalformedCertificate, from_bytes
from cuvee.graph.certificate.certified_metapackages import metapackage_problems
from cuvee.graph.certificate.model import (
    Certificate,
    CertifiedRecord,
    ComparedInput,
    Entry,
    InputState,
    PlatformProof,
)
from cuvee.graph.certificate.proof_steps import ProofStep, as_text, steps
from cuvee.lock.model import Lock

_MOST_REFUSALS = 20
_WIDTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCertificate:
    """What a valid certificate is about.

    Attributes
    ----------
    packages
        Their number, by platform.
    steps
        The number of steps of the proof that were checked.
    unexamined
        Platforms on which the packages' files were not compared.
    metapackages
        The names of those that pin the set, by platform.
    inputs
        What it was made from, compared with the files that are found now; none differs.
    """

    release: str
    packages: Mapping[str, int]
    steps: int
    not_certified: Mapping[str, tuple[str, ...]]
    unexamined: tuple[str, ...]
    metapackages: Mapping[str, tuple[str, ...]]
    with_lock: bool
    inputs: tuple[ComparedInput, ...] = ()


def verify_certificate(
    data: bytes,
    *,
    name: str,
    lock: Lock | None = None,
    lock_sha256: str | None = None,
    compare: Callable[[Certificate], tuple[ComparedInput, ...]] = lambda _: (),
) -> VerifiedCertificate:
    """Verify a certificate.

    Parameters
    ----------
    data, name
        The file, and its name in messages.
    lock, lock_sha256
        The lock that it must be about, and the SHA-256 of its file.
    compare
        Compares the inputs that it names with the files that are found now.

    Raises
    ------
    IntegrityError
        If it is not valid; the message has every reason, and where.
    """
    inputs: tuple[ComparedInput, ...] = ()
    try:
        found = from_bytes(data)
        inputs = compare(found)
        refusals = list(_refusals(found, lock, lock_sha256))
        refusals += [
            f"it was made from another state of {item.name}: {item.reason}"
            for item in inputs
            if item.state is InputState.DIFFERS
        ]
    except MalformedCertificate as refusal:
        refusals = [str(refusal)]
    if refusals:
        shown = [f"  {line}" for line in refusals[:_MOST_REFUSALS]]
        rest = len(refusals) - len(shown)
        more = [f"  … and {rest} more"] if rest else []
        raise IntegrityError(
            "\n".join([f"{name} is not valid", *shown, *more, *input_lines(inputs)]),
            hint="Do not rely on it. `cuvee certify MANIFEST` writes a new one.",
        )
    platforms = found.platforms
    return VerifiedCertificate(
        release=found.release,
        packages={name: len(proof.records) for name, proof in platforms.items()},
        steps=sum(len(proof.edges) + len(proof.constrains) for proof in platforms.values()),
        not_certified=found.not_certified,
        unexamined=tuple(name for name, proof in platforms.items() if not proof.files.checks),
        metapackages={
            name: tuple(record.name for record in proof.metapackages) for name, proof in platforms.items()
        },
        with_lock=lock is not None,
        inputs=inputs,
    )


def input_lines(inputs: Sequence[ComparedInput]) -> list[str]:
    """Return which inputs were compared and are the same, and which were not compared and why, as lines."""
    same = [item.name for item in inputs if item.state is InputState.SAME]
    left = [item for item in inputs if item.state is InputState.NOT_COMPARED]
    lines = [f"  unchanged: {', '.join(same)}"] if same else []
    return [*lines, *(f"  not compared: {item.name}; {item.reason}" for item in left)]


def _refusals(found: Certificate, lock: Lock | None, lock_sha256: str | None) -> Iterator[str]:
    if lock_sha256 is not None and found.inputs.lock != lock_sha256:
        yield f"it is about another lock: SHA-256 {found.inputs.lock}, not {lock_sha256}"
    both = sorted(found.platforms.keys() & found.not_certified.keys())
    if both:
        yield f"{', '.join(both)}: both certified and not certified"
    if not found.platforms and not found.not_certified:
        yield "it is about no platform"
    for platform, proof in found.platforms.items():
        for refusal in (*_platform(proof), *metapackage_problems(found.release, platform, proof)):
            yield f"{platform}: {refusal}"
        if lock is not None:
            for refusal in _differences(proof, platform, lock):
                yield f"{platform}: {refusal}"
    if lock is not None:
        stated = found.platforms.keys() | found.not_certified.keys()
        for platform in sorted(lock.by_platform.keys() - stated):
            yield f"{platform}: the lock has it, and the certificate does not"


def _platform(proof: PlatformProof) -> Iterator[str]:
    """Yield what is wrong with one platform's proof: duplicates, and missing, misplaced or untrue steps."""
    if proof.files.collisions and not proof.files.checks:
        yield "files: it has collisions, but no check that found them"
    names = [record.name for record in proof.records]
    counts = Counter((*(item.name for item in proof.virtual_packages), *names))
    yield from (f"it has {name} more than once" for name, count in counts.items() if count > 1)
    if names != sorted(names):
        yield "the records are not in the order of their names"
    for kind, entries, expected in steps(proof):
        yield from _compared(kind, entries, expected)


def _compared(kind: str, entries: Sequence[Entry], expected: Sequence[ProofStep]) -> Iterator[str]:
    """Yield differences between the given steps and those that the records require, in their order."""
    yield from (step.problem for step in expected if step.problem is not None)
    given, required = [as_text(entry) for entry in entries], [step.text for step in expected]
    if given == required:
        return
    missing, needless = Counter(required) - Counter(given), Counter(given) - Counter(required)
    for text in missing:
        yield f"{kind}: the step {text[:_WIDTH]} is missing"
    for text in needless:
        yield f"{kind}: the step {text[:_WIDTH]} follows from no record"
    if not missing and not needless:
        yield f"{kind}: the steps are not in the order of the records"


def _differences(proof: PlatformProof, platform: str, lock: Lock) -> Iterator[str]:
    """Yield differences between the records and the lock's."""
    locked = lock.by_platform.get(platform)
    if locked is None:
        yield "the lock does not have this platform"
        return
    if proof.virtual_packages != locked.virtual_packages:
        yield "the virtual packages are not those of the lock"
    packages = {package.name: CertifiedRecord.of(package) for package in locked.packages}
    for record in proof.records:
        other = packages.pop(record.name, None)
        if other is None:
            yield f"{record.name} is not in the lock"
        elif other != record:
            names = [item.name for item in fields(record)]
            differing = sorted(key for key in names if getattr(other, key) != getattr(record, key))
            yield f"{record.name} is not what the lock has: {', '.join(differing)} differ"
    for name in packages:
        yield f"{name} is in the lock, and not in the certificate"
