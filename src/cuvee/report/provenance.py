"""How old the data of a report is, and what it was made from."""

import datetime as dt
from dataclasses import dataclass

from cuvee.release.record import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedOn:
    """Where the outcomes of one platform are from.

    Attributes
    ----------
    runner
        Such as ``native``; empty if nothing was run.
    reference
        The release whose run they were compared with; empty if there is none.
    note
        Why nothing was run, or why it was not compared.
    reused
        Whether the outcomes are those of an earlier run, since nothing that they depend on has changed.
    """

    platform: str
    runner: str
    reference: str
    note: str
    reused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The inputs of a report.

    Attributes
    ----------
    made_at
        When the release was cut; aware. Nothing in the report is newer.
    lock, inputs
        Hex SHA-256 of what was locked from, and of all inputs.
    reused
        The stages whose results are those of an earlier run.
    """

    made_at: dt.datetime
    manifest: str
    base: str
    lock: str
    inputs: str
    reused: tuple[str, ...]
    tested: tuple[TestedOn, ...]


def provenance(release: Release) -> Provenance:
    """Return what a release says of its data."""
    compared = {item.platform: item for item in release.compared}
    tested = []
    for result in release.tests:
        run, comparison = result.run, compared.get(result.run.platform)
        tested.append(
            TestedOn(
                platform=run.platform,
                runner=run.runner or "",
                reference=comparison.reference if comparison else "",
                note=run.not_run or (comparison.reason if comparison else ""),
                reused=result.reused,
            )
        )
    return Provenance(
        made_at=release.made_at,
        manifest=release.manifest.path.name,
        base=release.base or "",
        lock=release.locked.inputs,
        inputs=release.inputs_hash,
        reused=tuple(item.stage for item in release.stages if item.reused),
        tested=tuple(tested),
    )
