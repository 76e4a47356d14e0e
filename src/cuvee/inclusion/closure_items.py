"""Items about the closure: whether it solves, what changes, what is added, and which files collide."""

from collections import Counter

from cuvee.conda.url_secrets import without_secrets
from cuvee.graph.diff import ChangeKind
from cuvee.inclusion.model import ChecklistItem, ItemState, PlatformAddition, Submission
from cuvee.report.human_units import human_size, plural

_SHOWN = 30
_MEGABYTE = 1_000_000


def solves_item(submission: Submission) -> ChecklistItem:
    """Return whether the set has a solution with the package on each of its platforms."""
    unsolved = submission.unsolved
    solved = [part.platform for part in submission.after.platforms]
    missing = [name for name in submission.platforms if name not in solved and name not in unsolved]
    evidence = [f"{name}: solved" for name in solved]
    for platform, why in unsolved.items():
        evidence += [f"{platform}: no solution", *(f"  {line}" for line in why.splitlines())]
    evidence += [f"{name}: not tried" for name in missing]
    if unsolved:
        state, summary = ItemState.FAIL, f"no solution on {', '.join(unsolved)}"
        action = "Request another version, or limit it to the platforms that have it."
    elif missing or not solved:
        state, summary = ItemState.PERSON, f"not known for {', '.join(missing) or 'any platform'}"
        action = "Run this where these platforms can be solved."
    else:
        state, summary, action = ItemState.PASS, f"on {', '.join(solved)}", ""
    return ChecklistItem(
        identifier="solves",
        title="It solves with the set on each platform",
        state=state,
        summary=summary,
        evidence=tuple(evidence[:_SHOWN]),
        action=action,
    )


def members_item(submission: Submission) -> ChecklistItem:
    """Return whether members of the set stay as they are."""
    title = "No member of the set changes"
    if not submission.after.platforms:
        return _not_known("members", title, "there is no solution")
    changes = submission.changes
    requested = {package.name for package in submission.manifest.packages}
    worse = {ChangeKind.DOWNGRADED, ChangeKind.REMOVED}
    bad = [item for item in changes if item.kind in worse and item.package in requested]
    evidence = tuple(
        f"{item.kind.value} {item.package} {' → '.join(filter(None, (item.before, item.after)))}"
        f" on {', '.join(item.platforms)}"
        for item in changes[:_SHOWN]
    )
    if bad:
        state, summary = ItemState.FAIL, f"{bad[0].package} would be {bad[0].kind.value}"
        action = "Request a version that goes with the set as it is."
    elif changes:
        state, summary = ItemState.PERSON, f"{plural(len(changes), 'package')} would change"
        action = "Judge whether these changes are wanted."
    else:
        state, summary, action = ItemState.PASS, "all keep their builds", ""
    return ChecklistItem(
        identifier="members", title=title, state=state, summary=summary, evidence=evidence, action=action
    )


def growth_item(submission: Submission) -> ChecklistItem:
    """Return what comes in: packages, size, licences, channels and the people who maintain them."""
    policy = submission.manifest.policy.inclusion
    title = "What it adds to the closure is within bounds"
    additions = submission.additions
    if not additions:
        return _not_known("growth", title, "there is no solution")
    most = max(len(item.packages) for item in additions)
    heaviest = max(item.size for item in additions)
    unsized = sorted({package.name for package in submission.added if not package.size})
    evidence = tuple(line for item in additions for line in _lines(item)) + _origins(submission)
    size = human_size(heaviest) + (
        f" and {plural(len(unsized), 'package')} of unknown size" if unsized else ""
    )
    summary = f"{plural(most, 'package')}, {size}" if most else "nothing: it is in the closure already"
    too_many = policy.most_packages is not None and most > policy.most_packages
    too_heavy = policy.most_megabytes is not None and heaviest > policy.most_megabytes * _MEGABYTE
    is_alone = most <= 1
    has_bounds = policy.most_packages is not None or policy.most_megabytes is not None
    if too_many or too_heavy:
        bound = plural(policy.most_packages or 0, "package") if too_many else f"{policy.most_megabytes} MB"
        state, action = ItemState.FAIL, f"The manifest allows {bound}. Judge whether it is worth more."
    elif policy.most_megabytes is not None and unsized:
        state, action = ItemState.PERSON, "Look up the sizes that the channels do not state."
    elif is_alone or has_bounds:
        state, action = ItemState.PASS, ""
    else:
        state = ItemState.PERSON
        action = "Judge whether it is worth that; `policy.inclusion` can state bounds."
    return ChecklistItem(
        identifier="growth", title=title, state=state, summary=summary, evidence=evidence, action=action
    )


def clobbers_item(submission: Submission) -> ChecklistItem:
    """Return whether files of added packages are those of other packages, too."""
    title = "It installs no file of another package"
    if not submission.additions:
        return _not_known("clobbers", title, "there is no solution")
    if submission.shared_files:
        return ChecklistItem(
            identifier="clobbers",
            title=title,
            state=ItemState.FAIL,
            summary=submission.shared_files[0].cause,
            evidence=tuple(line for item in submission.shared_files for line in (item.cause, *item.evidence))[
                :_SHOWN
            ],
            action=submission.shared_files[0].action,
        )
    closed = {name: found for name, found in submission.not_opened.items() if found}
    if closed:
        count = len({name for found in closed.values() for name in found})
        return ChecklistItem(
            identifier="clobbers",
            title=title,
            state=ItemState.PERSON,
            summary=f"not compared with the files of {plural(count, 'package')}, whose archives are not here",
            evidence=tuple(
                f"{platform}: {', '.join(found[:_SHOWN])}" + (", …" if len(found) > _SHOWN else "")
                for platform, found in closed.items()
            ),
            action="Run it again with --archives, which fetches them.",
        )
    count = sum(len(part.packages) for part in submission.after.platforms)
    return ChecklistItem(
        identifier="clobbers", title=title, state=ItemState.PASS,
        summary=f"compared with the files of {plural(count, 'archive')}",
    )  # fmt: skip


def _lines(addition: PlatformAddition) -> list[str]:
    head = f"{addition.platform}: {plural(len(addition.packages), 'package')}, {human_size(addition.size)}"
    rows = [
        f"  {item.name} {item.version}, {human_size(item.size) if item.size else 'size unknown'}, "
        f"{(item.license or 'no licence stated')[:80]}"
        for item in addition.packages[:_SHOWN]
    ]
    more = len(addition.packages) - _SHOWN
    return [head, *rows, *([f"  and {more} more"] if more > 0 else [])]


def _origins(submission: Submission) -> tuple[str, ...]:
    """Return from which channels the additions come, and who maintains their recipes."""
    known = {package.channel for part in submission.before.platforms for package in part.packages}
    channels = Counter(package.channel for package in submission.added)
    lines = [
        f"new channel: {without_secrets(channel)}, {plural(count, 'package')}"
        for channel, count in sorted(channels.items())
        if channel not in known
    ]
    people = sorted({name for claims in submission.claims.values() for name in claims.maintainers})
    if people:
        lines.append(f"maintainers of the recipes that come in: {', '.join(people[:_SHOWN])}")
    unowned = sorted({package.name for package in submission.added} - {submission.name})
    if unowned:
        shown = ", ".join(unowned[:_SHOWN]) + (", …" if len(unowned) > _SHOWN else "")
        lines.append(f"without an owner in this distribution: {shown}")
    return tuple(lines)


def _not_known(identifier: str, title: str, why: str) -> ChecklistItem:
    return ChecklistItem(
        identifier=identifier, title=title, state=ItemState.PERSON, summary=f"not known: {why}"
    )
