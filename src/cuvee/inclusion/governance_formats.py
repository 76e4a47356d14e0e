"""Who decides and what was decided, as Markdown, as a page, and as JSON values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cuvee.codec import encode
from cuvee.inclusion.decisions import Governance, ReleaseDecisions
from cuvee.manifest.model import Owner
from cuvee.report.badges import VERDICTS
from cuvee.report.html import environment
from cuvee.report.issue_text import one_line
from cuvee.report.site import lone_page

NO_QUORUM = "The manifest states no quorum: each change of it is decided by who may change its repository."


def rules(found: Governance) -> Iterator[tuple[str, str]]:
    """Yield the rules that the manifest states: what they are about, and what they say."""
    manifest = found.manifest
    terms = manifest.policy
    yield (
        "A package may come in if these items do not fail",
        ", ".join(terms.inclusion.binding) or "none bind",
    )
    if terms.inclusion.most_packages is not None:
        yield "It may add at most", f"{terms.inclusion.most_packages} packages to a platform"
    if terms.inclusion.most_megabytes is not None:
        yield (
            "It may weigh at most",
            f"{terms.inclusion.most_megabytes} MB on a platform, with all that it adds",
        )
    yield "A patch release may", ", ".join(terms.patch) or "change nothing"
    if terms.licenses.allow:
        yield "Licences that are allowed", ", ".join(terms.licenses.allow)
    if terms.licenses.deny:
        yield "Licences that are denied", ", ".join(terms.licenses.deny)
    for check, severity in terms.checks.items():
        yield f"Findings of {check} are at worst", severity
    if manifest.support is not None:
        until = f", until {manifest.support.until}" if manifest.support.until else ""
        yield "Support", f"track {manifest.support.track.value}{until}"


def quorum_lines(value: Any, path: str = "") -> Iterator[str]:
    """Yield what `policy.approvals` states, a line per value."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from quorum_lines(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value):
        for number, inner in enumerate(value, 1):
            yield from quorum_lines(inner, f"{path}.{number}")
    elif value not in (None, "", [], {}):
        yield f"{path}: {', '.join(map(str, value)) if isinstance(value, list) else value}"


def agreement(found: Governance, owner: Owner) -> str:
    """Return for how many of its packages an owner has agreed."""
    packages = found.owned.get(owner.name, ())
    agreed = sum(name in owner.accepts for name in packages)
    return f"{agreed} of {len(packages)}"


def decision_lines(item: ReleaseDecisions) -> Iterator[tuple[str, str]]:
    """Yield what was decided in a release: the kind of decision, and its sentence."""
    if item.added:
        yield ("Added" if item.compared_with else "Blessed"), ", ".join(item.added)
    if item.removed:
        yield "Removed", ", ".join(item.removed)
    for gone in item.deprecated:
        instead = f"; use {gone.instead}" if gone.instead else ""
        when = f", leaves in {gone.removed_in}" if gone.removed_in else ""
        yield "Deprecated", f"{gone.package}{when}: {gone.reason}{instead}"
    for move in item.handovers:
        yield "Handed over", f"{move.package}: {move.before or 'no owner'} → {move.after or 'no owner'}"
    for waiver in item.waivers:
        where = "".join(
            f" {word} {value}" for word, value in (("for", waiver.package), ("on", waiver.platform)) if value
        )
        link = f" ({waiver.link})" if waiver.link else ""
        yield (
            "Waived",
            f"{waiver.check}{where}, by {waiver.author}, until {waiver.expires}: {waiver.reason}{link}",
        )
    if item.policy:
        yield "Policy", f"changed: {', '.join(item.policy)}"
    for line in item.approvals:
        yield "Approval", line
    if item.changes is not None:
        counts = ", ".join(f"{count} {kind}" for kind, count in sorted(item.changes.items()))
        yield "Closure", counts or "nothing changed"
    if item.findings:
        counts = ", ".join(f"{check} ({count})" for check, count in sorted(item.findings.items()))
        yield "Findings accepted", counts


def as_markdown(found: Governance) -> str:
    """Return the page in Markdown."""
    manifest = found.manifest
    lines = [f"# How {one_line(manifest.title)} is decided", ""]
    lines.append(f"By the manifest of {manifest.release_name}.")
    lines += ["", "## Who decides", ""]
    if found.owners:
        lines += [
            "| Owner | Organisation | People | Contact | Packages | Agreed |",
            "|---|---|---|---|---|---|",
        ]
        lines += [_owner_row(found, owner) for owner in found.owners]
    else:
        lines.append("The manifest names no owners.")
    if found.unowned:
        lines += ["", f"Packages without an owner: {', '.join(map(_code, found.unowned))}."]
    lines += ["", "## With which quorum", ""]
    lines += [f"- {one_line(line)}" for line in quorum_lines(found.quorum)] or [NO_QUORUM]
    lines += ["", "## By which rules", ""]
    lines += [f"- {one_line(what)}: {one_line(says)}" for what, says in rules(found)]
    lines += ["", "## What was decided", ""]
    for item in found.releases:
        lines += [f"### {one_line(item.release)}", "", _state(item), ""]
        lines += [f"- **{what}:** {one_line(says)}" for what, says in decision_lines(item)]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def as_html(found: Governance) -> str:
    """Return the page in HTML; it needs nothing else."""
    return lone_page(
        environment().get_template("governance.html.j2"),
        found=found,
        rules=list(rules(found)),
        quorum=list(quorum_lines(found.quorum)),
        no_quorum=NO_QUORUM,
        agreement={owner.name: agreement(found, owner) for owner in found.owners},
        releases=[(item, list(decision_lines(item))) for item in found.releases],
        verdicts=VERDICTS,
    )


def as_json(found: Governance) -> dict[str, Any]:
    """Return the same as JSON values."""
    return {
        "distribution": found.manifest.distribution,
        "release": found.manifest.release_name,
        "owners": [
            {**_object(encode(owner)), "packages": list(found.owned.get(owner.name, ()))}
            for owner in found.owners
        ],
        "organisations": list(found.organisations),
        "unowned": list(found.unowned),
        "quorum": found.quorum,
        "rules": dict(rules(found)),
        "releases": encode(found.releases, without=frozenset({"position"})),
    }


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _owner_row(found: Governance, owner: Owner) -> str:
    packages = found.owned.get(owner.name, ())
    cells: Sequence[str] = (
        one_line(owner.name),
        one_line(owner.organisation or ""),
        one_line(", ".join(owner.people)),
        one_line(owner.contact),
        ", ".join(map(_code, packages)),
        agreement(found, owner),
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _state(item: ReleaseDecisions) -> str:
    against = (
        f"Compared with {one_line(item.compared_with)}." if item.compared_with else "It is the first one."
    )
    if item.verdict is not None and item.made_at is not None:
        word = VERDICTS[item.verdict].word
        return f"{word[:1].upper()}{word[1:]}, cut on {item.made_at:%Y-%m-%d}. {against}"
    return f"{one_line(item.problem)}. {against}" if item.problem else against


def _code(text: str) -> str:
    return f"`{text}`"
