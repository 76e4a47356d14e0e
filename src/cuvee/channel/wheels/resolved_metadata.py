"""Comparing the metadata that uv resolved with those of the wheels that are imported.

uv reads the metadata that the index states for a wheel (PEP 658), or those of the wheel itself; a package is
made of the wheel's own.
https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from packaging.version import Version

from cuvee.channel.wheels.core_metadata import CoreMetadata, parse_metadata
from cuvee.channel.wheels.dependencies import ResolvedProjects
from cuvee.errors import IntegrityError

_HINT = "The index or the wheel was changed. Find out which, or choose another version of the project."


def check_index_metadata(own: CoreMetadata, stated: Path | None, *, file_name: str) -> bool:
    """Compare a wheel's METADATA with what its index states, and return whether it states something.

    Raises
    ------
    IntegrityError
        If the name, the version, Requires-Python or Requires-Dist differs.
    """
    if stated is None:
        return False
    told = None
    with suppress(IntegrityError):  # some servers answer with a page for people instead of an error
        told = parse_metadata(stated.read_bytes(), where=file_name)
    if told is None:
        return False
    if differences := list(_differences(own, told)):
        text = "; ".join(differences)
        raise IntegrityError(f"{file_name}: its METADATA is not what its index states: {text}", hint=_HINT)
    return True


def _differences(own: CoreMetadata, told: CoreMetadata) -> Iterator[str]:
    for what, mine, theirs in (
        ("Name", own.name, told.name),
        ("Version", own.version, told.version),
        ("Requires-Python", own.requires_python, told.requires_python),
    ):
        if mine != theirs:
            yield f"{what} is {mine or 'not stated'}, the index states {theirs or 'none'}"
    for requirement in sorted({*own.requires} - {*told.requires}, key=str):
        yield f"Requires-Dist has {str(requirement)!r}, the index does not"
    for requirement in sorted({*told.requires} - {*own.requires}, key=str):
        yield f"Requires-Dist lacks {str(requirement)!r}, the index has it"


def check_resolution(
    resolved: ResolvedProjects,
    versions: Mapping[str, Version],
    extras: Mapping[str, tuple[str, ...]],
    *,
    python: str,
    carried: Collection[str],
) -> None:
    """Compare what was resolved for one platform with what its wheels require.

    ``versions`` are those that were resolved, by name. ``carried`` names come from a channel, so that their
    versions are those that the solver chooses.

    Raises
    ------
    IntegrityError
        If a wheel requires another Python, a project that was not resolved, or another version of one.
    """
    interpreter = Version(python).base_version
    for name, project in resolved.projects.items():
        label = f"{name} {project.version}"
        if not project.requires_python.contains(interpreter, prereleases=True):
            raise _disagreement(label, f"it requires Python {project.requires_python}, not {python}")
        for other, specifiers in resolved.requirements(name, extras.get(name, ())).items():
            if other in carried:
                continue
            version = versions.get(other)
            if version is None or not specifiers.contains(version, prereleases=True):
                found = f"not {version}" if version is not None else "which was not resolved"
                raise _disagreement(label, f"it requires {other}{specifiers}, {found}")


def _disagreement(label: str, why: str) -> IntegrityError:
    return IntegrityError(
        f"The wheel of {label} is not the one that it was resolved with: by its METADATA {why}", hint=_HINT
    )
