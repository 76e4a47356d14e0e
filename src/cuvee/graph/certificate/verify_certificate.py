"""Checking a certificate again, from its records alone; made to be read in one sitting.

What is refused: a file that is not byte for byte what was written (it holds its own hash), one that says
more or less than the format, one whose proof has a gap or a wrong step, and one that is not about the given
lock. Only the meaning of a match spec is rattler's.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cuvee.errors import IntegrityError
from cuvee.graph.certificate.certificate_format import MalformedCertificate, read
from cuvee.graph.certificate.proof_steps import ProofStep, as_record, steps
from cuvee.lock.model import Lock

_SHOWN = 20
_WIDTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedCertificate:
    """What a certificate that holds is about.

    Attributes
    ----------
    packages
        How many, by platform.
    steps
        How many steps of the proof were checked.
    not_certified
        Platforms that the certificate says nothing for, and why.
    unexamined
        Platforms on which the packages' files were not compared.
    with_lock
        Whether it was held against a lock.
    """

    release: str
    packages: Mapping[str, int]
    steps: int
    not_certified: Mapping[str, tuple[str, ...]]
    unexamined: tuple[str, ...]
    with_lock: bool


def verify_certificate(
    data: bytes, *, name: str, lock: Lock | None = None, lock_sha256: str | None = None
) -> VerifiedCertificate:
    """Check a certificate again.

    Parameters
    ----------
    data
        The file.
    name
        What to call it in a message.
    lock, lock_sha256
        The lock that it should be about, and the SHA-256 of its file.

    Raises
    ------
    IntegrityError
        If it does not hold; the message has every reason that was found, and where.
    """
    try:
        found = read(data)
        refusals = list(_refusals(found, lock, lock_sha256))
    except MalformedCertificate as refusal:
        refusals = [str(refusal)]
    if refusals:
        shown = [f"  {line}" for line in refusals[:_SHOWN]]
        rest = len(refusals) - len(shown)
        more = [f"  … and {rest} more"] if rest else []
        raise IntegrityError(
            "\n".join([f"{name} does not hold", *shown, *more]),
            hint="Don't rely on it. `cuvee certify MANIFEST` proves the release anew.",
        )
    platforms: Mapping[str, Mapping[str, Any]] = found["platforms"]
    return VerifiedCertificate(
        release=found["release"],
        packages={name: len(section["records"]) for name, section in platforms.items()},
        steps=sum(len(section["edges"]) + len(section["constrains"]) for section in platforms.values()),
        not_certified={key: tuple(value) for key, value in found["not_certified"].items()},
        unexamined=tuple(key for key, section in platforms.items() if not section["files"]["checks"]),
        with_lock=lock is not None,
    )


def _refusals(found: Mapping[str, Any], lock: Lock | None, lock_sha256: str | None) -> Iterator[str]:
    if lock_sha256 is not None and found["inputs"]["lock"] != lock_sha256:
        yield f"it is about another lock: SHA-256 {found['inputs']['lock']}, not {lock_sha256}"
    both = sorted(found["platforms"].keys() & found["not_certified"].keys())
    if both:
        yield f"{', '.join(both)}: certified and not certified at once"
    if not found["platforms"] and not found["not_certified"]:
        yield "it is about no platform"
    for platform, section in found["platforms"].items():
        for refusal in _platform(section):
            yield f"{platform}: {refusal}"
        if lock is not None:
            for refusal in _against(section, platform, lock):
                yield f"{platform}: {refusal}"
    if lock is not None:
        said = found["platforms"].keys() | found["not_certified"].keys()
        for platform in sorted(lock.by_platform.keys() - said):
            yield f"{platform}: the lock has it, and the certificate says nothing of it"


def _platform(section: Mapping[str, Any]) -> Iterator[str]:
    """Check one platform's proof: nothing is there twice, and each step is there, in its place, and true."""
    names: set[str] = set()
    for record in (*section["virtual_packages"], *section["records"]):
        if record["name"] in names:
            yield f"{record['name']} is there more than once"
        names.add(record["name"])
    wanted = [record["name"] for record in section["records"]]
    if wanted != sorted(wanted):
        yield "the records are not in the order of their names"
    expected = steps(section)
    for kind, given in (
        ("requirements", section["requirements"]),
        ("constraints", section["constraints"]),
        ("edges", section["edges"]),
        ("constrains", section["constrains"]),
    ):
        yield from _compared(kind, given, expected[kind])


def _compared(kind: str, given: Sequence[Mapping[str, Any]], expected: Sequence[ProofStep]) -> Iterator[str]:
    """Hold the steps that are given against those that the records ask for, in their order."""
    for step in expected:
        if step.problem is not None:
            yield step.problem
    stated, needed = [json.dumps(entry, sort_keys=True) for entry in given], [step.text for step in expected]
    if stated == needed:
        return
    missing, needless = Counter(needed) - Counter(stated), Counter(stated) - Counter(needed)
    for text in missing:
        yield f"{kind}: the step {text[:_WIDTH]} is missing"
    for text in needless:
        yield f"{kind}: the step {text[:_WIDTH]} follows from no record"
    if not missing and not needless:
        yield f"{kind}: the steps are not in the order of the records"


def _against(section: Mapping[str, Any], platform: str, lock: Lock) -> Iterator[str]:
    """Hold the records against the lock's."""
    locked = lock.by_platform.get(platform)
    if locked is None:
        yield "the lock does not have this platform"
        return
    offered = [
        {"name": item.name, "version": item.version, "build": item.build} for item in locked.virtual_packages
    ]
    if list(section["virtual_packages"]) != offered:
        yield "the virtual packages are not those of the lock"
    packages = {package.name: as_record(package) for package in locked.packages}
    for record in section["records"]:
        other = packages.pop(record["name"], None)
        if other is None:
            yield f"{record['name']} is not in the lock"
        elif other != dict(record):
            fields = sorted(key for key in other if other[key] != record[key])
            yield f"{record['name']} is not what the lock has: {', '.join(fields)} differ"
    for name in packages:
        yield f"{name} is in the lock, and the certificate says nothing of it"
