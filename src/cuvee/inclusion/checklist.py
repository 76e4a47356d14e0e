"""The checklist of a submission, from what is known of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from cuvee.inclusion.closure_items import clobbers_item, growth_item, members_item, solves_item
from cuvee.inclusion.model import Checklist, ChecklistItem, ItemState, Submission
from cuvee.inclusion.name_confusion import confusions
from cuvee.inclusion.package_items import licenses_item, metadata_item, tests_item
from cuvee.inclusion.upstream_items import age_item, releases_item
from cuvee.report.human_units import plural

__all__ = ["checklist_of"]


def owner_item(submission: Submission) -> ChecklistItem:
    """Return whether the package has an owner, and whether that owner has agreed."""
    title = "It has an owner, who has agreed"
    owner = next((item for item in submission.manifest.owners if item.name == submission.owner), None)
    if owner is None:
        return ChecklistItem(
            identifier="owner", title=title, state=ItemState.FAIL, summary="no owner is named for it",
            action="Name one with --owner, or state `owner` for it in the manifest.",
        )  # fmt: skip
    who = f"{owner.name} ({owner.contact})"
    people = ", ".join(owner.people)
    evidence = tuple(
        f"{label}: {value}"
        for label, value in (("organisation", owner.organisation), ("people", people))
        if value
    )
    agreed = owner.accepts.get(submission.name)
    if agreed is not None:
        summary = f"{who} has agreed on {agreed}"
        state, action = ItemState.PASS, ""
    else:
        summary = f"{who} is named, and the manifest does not say that they have agreed"
        state = ItemState.PERSON
        action = f"Let them add {submission.name} with the date to `accepts` of the owner {owner.name}."
    return ChecklistItem(
        identifier="owner", title=title, state=state, summary=summary, evidence=evidence, action=action
    )


def name_item(submission: Submission) -> ChecklistItem:
    """Return whether the name, or that of a package that comes in with it, can be taken for a member's."""
    title = "Its name cannot be taken for that of a member"
    members = {package.name for part in submission.before.platforms for package in part.packages}
    members |= {package.name for package in submission.manifest.packages}
    own = confusions(submission.name, sorted(members - {submission.name}))
    others = sorted({package.name for package in submission.added} - {submission.name})
    brought = [item for name in others for item in confusions(name, sorted(members - {name}))]
    bad = [item for item in (*own, *brought) if item.likeness.is_same_to_readers]
    evidence = tuple(dict.fromkeys(map(str, (*bad, *own))))
    if bad:
        state, summary = ItemState.FAIL, str(bad[0])
        action = "Check that it is the project that is meant; another name, or none, is safer."
    elif own:
        state, summary = ItemState.PERSON, str(own[0])
        action = "Check that it is the project that is meant."
    else:
        state, summary, action = ItemState.PASS, f"compared with {plural(len(members), 'name')}", ""
    return ChecklistItem(
        identifier="name", title=title, state=state, summary=summary, evidence=evidence, action=action
    )


def errata_item(submission: Submission) -> ChecklistItem:
    """Return whether an erratum of the distribution is about a version that comes in."""
    found = submission.errata
    return ChecklistItem(
        identifier="errata",
        title="No erratum of the distribution is about a version that comes in",
        state=ItemState.FAIL if found else ItemState.PASS,
        summary=found[0] if found else "none is",
        evidence=found,
        action="Take a version that has the fix." if found else "",
    )


_ITEMS: Sequence[Callable[[Submission], ChecklistItem]] = (
    solves_item,
    members_item,
    growth_item,
    clobbers_item,
    tests_item,
    metadata_item,
    licenses_item,
    owner_item,
    name_item,
    age_item,
    releases_item,
    errata_item,
)
"""In the order of `cuvee.manifest.inclusion_schema.INCLUSION_ITEMS`."""


def checklist_of(submission: Submission) -> Checklist:
    """Return the checklist: each item with its state, and whether it binds by the manifest's policy."""
    manifest = submission.manifest
    binding = manifest.policy.inclusion.binding
    items = (item(submission) for item in _ITEMS)
    return Checklist(
        distribution=manifest.distribution,
        release=manifest.release_name,
        title=manifest.title,
        name=submission.name,
        wanted=submission.wanted,
        versions=_versions(submission),
        source="the Python index" if submission.from_index else "the channels",
        items=tuple(replace(item, binds=item.identifier in binding) for item in items),
        additions=submission.additions,
        today=submission.today.date(),
    )


def _versions(submission: Submission) -> Mapping[str, str]:
    return {package.platform: f"{package.version} {package.build}" for package in submission.packages}
