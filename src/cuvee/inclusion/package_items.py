"""Items about the package itself: its tests, its metadata, and the licences that come in."""

from cuvee.graph.checks.license_policy import canonical_policy, permits
from cuvee.inclusion.model import ChecklistItem, ItemState, PackageClaims, Submission
from cuvee.report.human_units import plural
from cuvee.spdx import read_license

_SHOWN = 20
_LINE = 80


def tests_item(submission: Submission) -> ChecklistItem:
    """Return whether the package carries its recipe, and tests that can be run here."""
    title = "It carries its recipe, and tests of its own"
    claims = _claims(submission)
    if not claims:
        return _unread("tests", title)
    evidence: dict[str, None] = {}
    for platform, found in claims.items():
        if found.wheel:
            evidence[f"{platform}: converted from {found.wheel}, which carries no recipe"] = None
        if found.recipe:
            evidence[f"{platform}: built by info/{found.recipe}"] = None
        for test in found.tests[:_SHOWN]:
            evidence[f"{platform}: test {test}"] = None
        for test in found.unsupported_tests[:_SHOWN]:
            evidence[f"{platform}: not run by cuvee: {test}"] = None
    if any(found.wheel for found in claims.values()):
        state = ItemState.PERSON
        summary = "a wheel carries neither; cuvee tests that its modules import"
        action = "Name a suite that tests it, or build it from a recipe."
    elif all(found.tests and found.recipe for found in claims.values()):
        state = ItemState.PASS
        fewest = min(len(found.tests) for found in claims.values())
        summary = f"{plural(fewest, 'test')}, which were not run now"
        action = "A suite of the kind `packaged` runs them in the release."
    elif any(found.unsupported_tests for found in claims.values()) or any(
        found.tests for found in claims.values()
    ):
        state, summary = ItemState.PERSON, "some are missing, or cannot be run by cuvee"
        action = "Judge whether they suffice."
    else:
        state, summary, action = ItemState.FAIL, "no tests", "Ask its recipe to have tests."
    return ChecklistItem(
        identifier="tests", title=title, state=state, summary=summary, evidence=tuple(evidence), action=action
    )


def metadata_item(submission: Submission) -> ChecklistItem:
    """Return whether the package says what it is, under which licence, and where its project is."""
    title = "Its metadata is complete"
    packages = submission.packages
    if not packages:
        return ChecklistItem(
            identifier="metadata",
            title=title,
            state=ItemState.PERSON,
            summary="not known: there is no solution",
        )
    claims = _claims(submission)
    lacking: dict[str, list[str]] = {}
    for package in packages:
        found = claims.get(package.platform)
        stated = {
            "a licence": bool((package.license or "").strip()),
            "a timestamp": package.timestamp is not None or submission.from_index,
            "a SHA-256": bool(package.sha256),
        }
        if found is not None:
            stated |= {
                "a summary": bool(found.summary),
                "the text of its licence": bool(found.license_files),
                "an address of its project": bool(found.links),
            }
        for what, is_there in stated.items():
            if not is_there:
                lacking.setdefault(what, []).append(package.platform)
    evidence = [f"lacks {what} on {', '.join(where)}" for what, where in lacking.items()]
    evidence += sorted({line for found in claims.values() for line in (found.summary, *found.links) if line})
    if lacking:
        state, summary = ItemState.FAIL, f"it lacks {', '.join(lacking)}"
        action = "Ask its recipe or project to state it."
    elif len(claims) < len(packages):
        state, summary = ItemState.PERSON, "its archive is not here, and the record states no more"
        action = "Look at the package, or run it again where its archive can be fetched."
    else:
        state, summary, action = ItemState.PASS, "licence and its text, summary, project", ""
    return ChecklistItem(
        identifier="metadata",
        title=title,
        state=state,
        summary=summary,
        evidence=tuple(evidence),
        action=action,
    )


def licenses_item(submission: Submission) -> ChecklistItem:
    """Return whether the policy permits the licences of all packages that come in."""
    title = "Its licence, and those of what comes with it, are allowed"
    if not submission.packages:
        return ChecklistItem(
            identifier="licenses",
            title=title,
            state=ItemState.PERSON,
            summary="not known: there is no solution",
        )
    policy = canonical_policy(submission.manifest.policy.licenses)
    has_policy = bool(policy.allow or policy.deny)
    refused: dict[str, None] = {}
    unknown: dict[str, None] = {}
    known: dict[str, None] = {}
    for package in {item.name: item for item in (*submission.added, *submission.packages)}.values():
        expression = read_license(package.license or "")
        if expression is None:
            unknown[f"{package.name} {_stated(package.license or '')}"] = None
        elif permits(policy, expression):
            known[f"{package.name} is under {expression}"] = None
        else:
            refused[f"{package.name} is under {expression}, which the manifest does not allow"] = None
    evidence = (*refused, *unknown, *known)
    if refused:
        state, summary = ItemState.FAIL, next(iter(refused))
        action = "Take another package, or allow the licence in `policy.licenses`."
    elif unknown:
        state, summary = ItemState.PERSON, f"unknown licences: {next(iter(unknown))}"
        action = "Find out which licence it is; ask its recipe to state an SPDX expression."
    elif not has_policy:
        state, summary = ItemState.PASS, "the manifest allows all licences"
        action = ""
    else:
        state, summary, action = ItemState.PASS, f"the policy allows {plural(len(known), 'package')}", ""
    return ChecklistItem(
        identifier="licenses",
        title=title,
        state=state,
        summary=summary,
        evidence=evidence[: 2 * _SHOWN],
        action=action,
    )


def _stated(text: str) -> str:
    shown = text if len(text) <= _LINE else f"{text[:_LINE]}…"
    return f"states {shown!r}" if text.strip() else "states no licence"


def _claims(submission: Submission) -> dict[str, PackageClaims]:
    """Return what archives of the package say of themselves, by platform."""
    return {
        package.platform: submission.claims[package.identifier]
        for package in submission.packages
        if package.identifier in submission.claims
    }


def _unread(identifier: str, title: str) -> ChecklistItem:
    return ChecklistItem(
        identifier=identifier,
        title=title,
        state=ItemState.PERSON,
        summary="not known: its archive could not be fetched",
        action="Look at the package, or run it again where its archive can be fetched.",
    )
