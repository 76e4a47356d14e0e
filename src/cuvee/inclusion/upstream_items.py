"""Items about the project: how old it and this version are, and whether it still makes releases."""

import datetime as dt

from cuvee.inclusion.model import ChecklistItem, ItemState, Submission, UpstreamRelease
from cuvee.report.human_units import plural

YOUNG_PROJECT = 90
"""Days for which a project has to exist before its age needs no person."""

LEAST_AGE = 7
"""Days for which a version has to exist, unless `policy.age` says otherwise."""

_YEAR = dt.timedelta(days=365)
_SHOWN = 12


def age_item(submission: Submission) -> ChecklistItem:
    """Return whether the version, and the project, have been there for a while."""
    title = "The version and the project are old enough to be known"
    published = {item.version: item.published for item in submission.upstream.releases}
    versions = sorted({package.version for package in submission.packages})
    days = {version: _days(submission, published.get(version)) for version in versions}
    first = min((made for made in published.values() if made is not None), default=None)
    known_for = _days(submission, first)
    if not versions or known_for is None or None in days.values():
        why = submission.upstream.problem or ("no times are stated" if versions else "there is no solution")
        return _unknown("age", title, why, submission)
    youngest = min(value for value in days.values() if value is not None)
    policy = submission.manifest.policy.age
    least = LEAST_AGE if policy.at_least is None else policy.at_least
    evidence = (
        *(f"{version} is {days[version]} days old" for version in versions),
        f"the oldest release in {submission.upstream.source} is {known_for} days old",
    )
    if youngest < least:
        state, summary = ItemState.FAIL, f"the version is {plural(youngest, 'day')} old; it must be {least}"
        action = "Wait, or request an older version."
    elif policy.at_most is not None and youngest > policy.at_most:
        state, summary = ItemState.FAIL, f"the version is {youngest} days old, more than {policy.at_most}"
        action = "Request a newer version, or find out whether the project is maintained."
    elif known_for < YOUNG_PROJECT:
        state, summary = ItemState.PERSON, f"the project is {plural(known_for, 'day')} old"
        action = "Find out who makes it."
    else:
        state, summary, action = (
            ItemState.PASS,
            f"the version {youngest} days, the project {known_for} days",
            "",
        )
    return ChecklistItem(
        identifier="age", title=title, state=state, summary=summary, evidence=evidence, action=action
    )


def releases_item(submission: Submission) -> ChecklistItem:
    """Return whether the project has made a release within the last year."""
    title = "The project has made a release within the last year"
    releases = [
        item
        for item in submission.upstream.releases
        if item.published is not None and item.published <= submission.today
    ]
    if not releases:
        return _unknown("releases", title, submission.upstream.problem or "no times are stated", submission)
    recent = [item for item in releases if submission.today - _time(item) <= _YEAR]
    newest = max(releases, key=_time)
    evidence = tuple(f"{item.version}: {_time(item):%Y-%m-%d}" for item in releases[-_SHOWN:])
    unknown = sum(item.published is None for item in submission.upstream.releases)
    if recent:
        state, action = ItemState.PASS, ""
        summary = f"{plural(len(recent), 'release')}, the last on {_time(newest):%Y-%m-%d}"
    elif unknown:
        state, action = ItemState.PERSON, "Look at the project."
        summary = f"{plural(unknown, 'release')} have no time; the last that has one is {newest.version}"
    else:
        state, action = ItemState.FAIL, "Find out whether the project is maintained."
        summary = f"none; the last, {newest.version}, was on {_time(newest):%Y-%m-%d}"
    return ChecklistItem(
        identifier="releases", title=title, state=state, summary=summary, evidence=evidence, action=action
    )


def _time(item: UpstreamRelease) -> dt.datetime:
    return item.published or dt.datetime.min.replace(tzinfo=dt.UTC)


def _days(submission: Submission, made: dt.datetime | None) -> int | None:
    return None if made is None else max(0, (submission.today - made).days)


def _unknown(identifier: str, title: str, why: str, submission: Submission) -> ChecklistItem:
    return ChecklistItem(
        identifier=identifier,
        title=title,
        state=ItemState.PERSON,
        summary=f"not known from {submission.upstream.source}: {why.splitlines()[0]}",
        action="Look at the project.",
    )
