"""The steps that a proof must have: derived only from a certificate's records and requirements."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cuvee.conda.match_spec import read_spec
from cuvee.conda.rattler_records import RecordKey, read_key
from cuvee.graph.certificate.model import Entry, PlatformProof


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStep:
    """One step of the proof: the entry that it must have, as JSON, and why it is wrong, if it is."""

    text: str
    problem: str | None = None


class _Set:
    """The records of one platform by name, for matching."""

    def __init__(self, proof: PlatformProof) -> None:
        virtual = {
            item.name: (str(item), read_key(RecordKey(item.name, item.version, item.build, 0, "noarch")))
            for item in proof.virtual_packages
        }
        records = {
            item.name: (
                item.stem,
                read_key(RecordKey(item.name, item.version, item.build, item.build_number, item.subdir)),
            )
            for item in proof.records
        }
        self._found = virtual | records

    def step(self, text: str, words: str, *, key: str, needed: bool, source: str | None = None) -> ProofStep:
        """Return one step: ``text`` is a match spec, ``words`` says what states it.

        A spec that is not ``needed`` may name a package that is not in the set.
        """
        spec = read_spec(text).matcher
        name = "" if spec is None else spec.name.normalized
        title, record = self._found.get(name, (None, ""))
        named = {} if source is None else {"from": source}
        problem = None
        if spec is None:
            problem = f"{words} {text!r}, which is not a match spec of one name"
        elif title is None and needed:
            problem = f"{words} {text!r}, and the set has no {name}"
        elif title is not None and (isinstance(record, str) or not spec.matches(record)):
            problem = f"{words} {text!r}, which {title} does not meet"
        return ProofStep(text=as_text(named | {"spec": text, key: title}), problem=problem)


def as_text(entry: Entry) -> str:
    """Return an entry of a proof as text for comparisons."""
    return json.dumps(entry, sort_keys=True)


def steps(proof: PlatformProof) -> Iterator[tuple[str, Sequence[Entry], list[ProofStep]]]:
    """Yield for each key in the file the steps that it has, and those that it must have, in order."""
    found = _Set(proof)
    for kind, verb, entries in (
        ("requirements", "requests", proof.requirements),
        ("constraints", "constrains", proof.constraints),
    ):
        words, needed = f"the manifest {verb}", kind == "requirements"
        specs = [item.get("spec") or "" for item in entries]
        yield kind, entries, [found.step(text, words, key="met_by", needed=needed) for text in specs]
    yield (
        "edges",
        proof.edges,
        [
            found.step(text, f"{item.stem} depends on", key="to", needed=True, source=item.stem)
            for item in proof.records
            for text in item.depends
        ],
    )
    yield (
        "constrains",
        proof.constrains,
        [
            found.step(text, f"{item.stem} constrains", key="to", needed=False, source=item.stem)
            for item in proof.records
            for text in item.constrains
        ],
    )
