"""Who has approved a release and who is missing, in words."""

from cuvee.approvals.quorum import Quorum
from cuvee.release.record import Release, judge_content
from cuvee.report.actors import Actor, Task
from cuvee.report.human_units import plural


def is_waiting_for_people(release: Release) -> bool:
    """Whether approvals are all that a release lacks."""
    is_approved = all(quorum.is_reached for quorum in release.quorums)
    return not is_approved and not judge_content(release).exit_code and release.failure is None


def missing_approvals(release: Release) -> int:
    """Return how many more people must approve, at least; one if those that have lack a role."""
    return max(max(quorum.policy.count - len(quorum.approved), 1) for quorum in _open(release))


def approval_headline(release: Release) -> str:
    """Return a few words: ``Waiting for 2 approvals``."""
    if any(quorum.impossible for quorum in _open(release)):
        return "Cannot be approved"
    return f"Waiting for {plural(missing_approvals(release), 'approval')}"


def approval_sentence(release: Release) -> str:
    """Return what is missing, in a sentence."""
    lost = [quorum.impossible for quorum in _open(release) if quorum.impossible]
    if lost:
        return f"Its quorum cannot be reached: {'; '.join(lost)}."
    missing = dict.fromkeys(what for quorum in _open(release) for what in quorum.missing)
    return f"These must approve before it goes out: {', '.join(missing)}."


def approvers(release: Release) -> tuple[Actor, ...]:
    """Return whose approval would count and is not there."""
    people = {item.person.public: item for quorum in _open(release) for item in quorum.open}
    return tuple(
        Actor(
            name=item.title,
            contact="",
            tasks=(Task(text=f"Look at the report, and approve: {', '.join(item.roles)}"),),
        )
        for item in people.values()
    )


def approval_notes(release: Release) -> tuple[str, ...]:
    """Return who has approved, and which approvals do not count, a sentence each."""
    found: dict[str, None] = {}
    for quorum in release.quorums:
        if quorum.approved:
            found[f"approved by {', '.join(item.title for item in quorum.approved)}"] = None
        for item in quorum.judged:
            if item.problem:
                found[f"the approval {item.source} does not count: {item.problem}"] = None
    return tuple(found)


def _open(release: Release) -> list[Quorum]:
    return [quorum for quorum in release.quorums if not quorum.is_reached]
