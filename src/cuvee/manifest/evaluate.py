"""Evaluation: from a validated tree without problems to the manifest."""

from pathlib import Path
from typing import Any

from cuvee.approvals.approval_policy import ApprovalPolicy, Approver
from cuvee.approvals.person_key import PersonKey
from cuvee.manifest import folder_lookup
from cuvee.manifest import value_parsers as parsers
from cuvee.manifest.documents.validated_tree import (
    MappingValue,
    ValidatedEntry,
    ValidatedValue,
    entries_at,
    entry_at,
    items_at,
    record_fields,
    scalars_at,
    text_at,
)
from cuvee.manifest.inheritance import sources
from cuvee.manifest.model import (
    AgePolicy,
    Deprecation,
    InclusionPolicy,
    Installers,
    LicensePolicy,
    Manifest,
    Owner,
    PatchedPackage,
    PlatformEntry,
    Policy,
    Requirement,
    Support,
    Waiver,
    WheelRequirement,
)
from cuvee.manifest.schema import DEFAULT_FORMATS
from cuvee.manifest.value_parsers import IndexProject
from cuvee.platforms import DEFAULT_FLOOR, PLATFORMS


def evaluate(tree: MappingValue, path: Path, base: Manifest | None) -> Manifest:
    """Return the manifest that a valid ``tree`` states."""
    fields = record_fields(tree)
    platforms = tuple(_platform(name, entry) for name, entry in entries_at(tree, "platforms"))
    present = tuple(platform.name for platform in platforms if platform.absent is None)
    return Manifest(
        path=path,
        base=base,
        distribution=fields["distribution"],
        version=fields["version"],
        title=fields["title"],
        support=Support(**fields["support"]) if fields.get("support") else None,
        platforms=platforms,
        channels=tuple(
            dict.fromkeys(
                folder_lookup.resolve_channel(name, path.parent) for name in fields.get("channels", ())
            )
        ),
        channel_url=(fields.get("channel_url") or "").replace(
            parsers.RELEASE, f"{fields['distribution']}-{fields['version']}"
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
        interpreter=fields.get("interpreter"),
        recipes=fields.get("recipes", ()),
        patched=tuple(
            PatchedPackage(name=name, position=entry.key.position, **record_fields(entry.value))
            for name, entry in sorted(entries_at(tree, "patched"))
        ),
        exclude_newer=fields.get("exclude_newer"),
        policy=_policy(tree, base),
        suites=fields.get("suites", ()),
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


def _fields(tree: ValidatedValue, *path: str) -> dict[str, Any]:
    entry = entry_at(tree, *path)
    return record_fields(entry.value) if entry else {}


def _platform(name: str, entry: ValidatedEntry) -> PlatformEntry:
    floor = DEFAULT_FLOOR[PLATFORMS[name].system] | _fields(entry.value, "floor")
    return PlatformEntry(name=name, floor=floor, absent=text_at(entry.value, "absent"))


def _requirements(tree: MappingValue, key: str, present: tuple[str, ...]) -> tuple[Requirement, ...]:
    found = []
    for name, entry in sorted(entries_at(tree, key)):
        version = entry_at(entry.value, "version")
        position = (version.value.span if version else entry.key).position
        fields = {"platforms": present, **record_fields(entry.value)}
        if "deprecated" in fields:
            fields["deprecated"] = Deprecation(**_fields(entry.value, "deprecated"))
        found.append(Requirement(name=name, position=position, **fields))
    return tuple(found)


def _policy(tree: MappingValue, base: Manifest | None) -> Policy:
    approvals = _approvals(tree)
    before = base.policy.approvals if base is not None else None
    return Policy(
        licenses=LicensePolicy(**_fields(tree, "policy", "licenses")),
        patch=_fields(tree, "policy", "patch").get("allow", Policy().patch),
        age=AgePolicy(**_fields(tree, "policy", "age")),
        inclusion=InclusionPolicy(**_fields(tree, "policy", "inclusion")),
        platforms=_tested_platforms(tree),
        checks={
            name: record_fields(entry.value)["severity"]
            for name, entry in sorted(entries_at(tree, "policy", "checks"))
        },
        approvals=approvals,
        approvals_of_base=before if before != approvals else None,
    )


def _approvals(tree: MappingValue) -> ApprovalPolicy | None:
    fields = _fields(tree, "policy", "approvals")
    if not fields:
        return None
    people = tuple(
        _approver(handle, record_fields(entry.value))
        for handle, entry in sorted(entries_at(tree, "policy", "approvals", "people"))
    )
    return ApprovalPolicy(**fields | {"people": people})


def _approver(handle: str, fields: dict[str, Any]) -> Approver:
    person = PersonKey(
        name=fields["name"],
        organisation=fields["organisation"],
        since=fields["since"],
        until=fields["until"],
        public=fields["key"],
    )
    return Approver(handle=handle, roles=fields["roles"], person=person)


def _tested_platforms(tree: MappingValue) -> dict[str, tuple[str, ...]] | None:
    path = ("policy", "platforms")
    entry = entry_at(tree, *path)
    if entry is None or not isinstance(entry.value, MappingValue):
        return None
    return {
        name: tuple(str(suite.value) for suite in scalars_at(tree, *path, name))
        for name, _ in sorted(entries_at(entry.value))
    }


def _installers(tree: MappingValue, folder: Path) -> Installers:
    branding = text_at(tree, "installers", "branding")
    stated = entry_at(tree, "installers", "formats")
    formats = dict(DEFAULT_FORMATS) | _fields(tree, "installers", "formats")
    if stated is not None and not any(entries_at(stated.value)):
        formats = dict.fromkeys(DEFAULT_FORMATS, ())
    return Installers(
        formats=formats,
        branding=folder_lookup.find_upwards(folder, branding) if branding else None,
        engine=text_at(tree, "installers", "engine") or "cuvee",
        deltas=text_at(tree, "installers", "deltas") or "none",
    )
