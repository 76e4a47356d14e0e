"""Evaluation: from a validated tree without problems to the manifest."""

import datetime as dt
from pathlib import Path
from typing import Any, TypeVar

from cuvee.manifest import folder_lookup
from cuvee.manifest.documents.validated_tree import (
    MappingValue,
    ValidatedEntry,
    ValidatedValue,
    entries_at,
    entry_at,
    items_at,
    record_fields,
    scalar_at,
    scalars_at,
    text_at,
)
from cuvee.manifest.inheritance import sources
from cuvee.manifest.model import (
    AgePolicy,
    Installers,
    LicensePolicy,
    Manifest,
    Owner,
    PlatformEntry,
    Policy,
    Position,
    ReleaseVersion,
    Requirement,
    Support,
    Waiver,
    WheelRequirement,
)
from cuvee.manifest.schema import DEFAULT_FORMATS
from cuvee.manifest.value_parsers import IndexProject
from cuvee.platforms import DEFAULT_FLOOR, PLATFORMS

_T = TypeVar("_T")


def evaluate(tree: MappingValue, path: Path, base: Manifest | None) -> Manifest:
    """Return the manifest that a valid ``tree`` states."""
    platforms = tuple(_platform(name, entry) for name, entry in entries_at(tree, "platforms"))
    present = tuple(platform.name for platform in platforms if platform.absent is None)
    return Manifest(
        path=path,
        base=base,
        distribution=_needed(tree, str, "distribution"),
        version=_needed(tree, ReleaseVersion, "version"),
        title=_needed(tree, str, "title"),
        support=Support(**support) if (support := _fields(tree, "support")) else None,
        platforms=platforms,
        channels=tuple(
            dict.fromkeys(
                folder_lookup.resolve_channel(name, path.parent) for name in _texts(tree, "channels")
            )
        ),
        packages=_requirements(tree, "packages", present),
        constraints=_requirements(tree, "constraints", present),
        wheels=tuple(
            WheelRequirement(
                name=scalar.value.name, extras=scalar.value.extras, position=scalar.span.position
            )
            for scalar in scalars_at(tree, "wheels")
            if isinstance(scalar.value, IndexProject)
        ),
        interpreter=text_at(tree, "interpreter"),
        recipes=_texts(tree, "recipes"),
        exclude_newer=_maybe(tree, dt.datetime, "exclude-newer"),
        policy=_policy(tree),
        suites=_texts(tree, "suites"),
        installers=_installers(tree, path.parent),
        owners=tuple(
            Owner(name=name, **record_fields(entry.value))
            for name, entry in sorted(entries_at(tree, "owners"))
        ),
        waivers=tuple(
            Waiver(position=item.span.position, **record_fields(item)) for item in items_at(tree, "waivers")
        ),
        sources=sources(tree),
    )


def _needed(tree: ValidatedValue, kind: type[_T], *path: str) -> _T:
    value = _maybe(tree, kind, *path)
    if value is None:
        raise TypeError(f"{'.'.join(path)} was not checked")
    return value


def _maybe(tree: ValidatedValue, kind: type[_T], *path: str) -> _T | None:
    scalar = scalar_at(tree, *path)
    return scalar.value if scalar is not None and isinstance(scalar.value, kind) else None


def _fields(tree: ValidatedValue, *path: str) -> dict[str, Any]:
    entry = entry_at(tree, *path)
    return record_fields(entry.value) if entry else {}


def _texts(tree: ValidatedValue, *path: str) -> tuple[str, ...]:
    return tuple(str(scalar.value) for scalar in scalars_at(tree, *path))


def _position(entry: ValidatedEntry) -> Position:
    """Return where an entry's version was stated, or its name when it has none."""
    version = entry_at(entry.value, "version")
    return (version.value.span if version else entry.key).position


def _platform(name: str, entry: ValidatedEntry) -> PlatformEntry:
    floor = DEFAULT_FLOOR[PLATFORMS[name].system] | _fields(entry.value, "floor")
    return PlatformEntry(name=name, floor=floor, absent=text_at(entry.value, "absent"))


def _requirements(tree: MappingValue, key: str, present: tuple[str, ...]) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(
            name=name, position=_position(entry), **{"platforms": present, **record_fields(entry.value)}
        )
        for name, entry in sorted(entries_at(tree, key))
    )


def _policy(tree: MappingValue) -> Policy:
    return Policy(
        licenses=LicensePolicy(**_fields(tree, "policy", "licenses")),
        patch=_fields(tree, "policy", "patch").get("allow", Policy().patch),
        link_scripts=_texts(tree, "policy", "link-scripts"),
        age=AgePolicy(**_fields(tree, "policy", "age")),
        checks={
            name: _needed(entry.value, str, "severity")
            for name, entry in sorted(entries_at(tree, "policy", "checks"))
        },
    )


def _installers(tree: MappingValue, folder: Path) -> Installers:
    branding = text_at(tree, "installers", "branding")
    return Installers(
        formats=DEFAULT_FORMATS | _fields(tree, "installers", "formats"),
        branding=folder_lookup.find_upwards(folder, branding) if branding else None,
        engine=text_at(tree, "installers", "engine") or "cuvee",
    )
