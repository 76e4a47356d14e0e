"""An explanation in solver_text, and as data."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cuvee.graph.explain.conflict_tree import group_by_cause, lines_of
from cuvee.graph.explain.model import (
    Conflict,
    ConflictExplanation,
    ConflictNode,
    ConstraintKind,
    Edit,
    EditAction,
    Mus,
    SoftConstraint,
    Suggestion,
)

_KEYS = {ConstraintKind.REQUIREMENT: "packages", ConstraintKind.CONSTRAINT: "constraints"}
_MOST_SHOWN = 5


def message(explanation: ConflictExplanation) -> str:
    """Give an explanation for people."""
    lines = [f"{', '.join(explanation.platforms)} {_have(explanation.platforms)} no solution"]
    conflicts = list(_by_cause(explanation.conflicts))
    for number, (cause, group) in enumerate(conflicts, 1):
        heading = f"{number}. " if len(conflicts) > 1 else ""
        several = sum(len(conflict.subsets) for conflict in group) > 1
        lines += ["", f"{heading}{cause}" + (":" if several else "")] if several or heading else [""]
        for conflict in group:
            lines += _clash_lines(conflict, explanation.platforms)
    if not explanation.complete:
        lines += ["", "There may be more; these are enough to begin with."]
    return "\n".join(lines)


def hint(explanation: ConflictExplanation) -> str:
    """Give the best way out in one sentence."""
    best = [conflict.suggestions[0] for conflict in explanation.conflicts if conflict.suggestions]
    if len(best) < len(explanation.conflicts):
        return "Relax or change one of the lines above, or add a channel that has what they ask for."
    edits = "; ".join(edit_line(edit) for item in best for edit in item.edits)
    return f"The smallest change that was seen to solve: {edits}"


def _have(platforms: Sequence[str]) -> str:
    return "has" if len(platforms) == 1 else "have"


def _by_cause(conflicts: Iterable[Conflict]) -> Iterator[tuple[str, list[Conflict]]]:
    groups: dict[str, list[Conflict]] = {}
    for conflict in conflicts:
        groups.setdefault(conflict.subsets[0].cause, []).append(conflict)
    yield from groups.items()


def _clash_lines(conflict: Conflict, platforms: Sequence[str]) -> Iterator[str]:
    for subsets in group_by_cause(conflict.subsets).values():
        for mus in subsets:
            where = "" if set(mus.platforms) == set(platforms) else f"on {', '.join(mus.platforms)}: "
            yield f"  {where}{mus.sentence}"
            if len(mus.members) > 1 or any(child.children for node in mus.tree for child in node.children):
                yield from lines_of(mus.tree, "    ")
    shown = conflict.suggestions[:_MOST_SHOWN]
    if shown:
        yield "  To mend it, one of these, each seen to solve:" if len(shown) > 1 else "  To mend it:"
    for suggestion in shown:
        yield "  - " + "; ".join(edit_line(edit) for edit in suggestion.edits)


def edit_line(edit: Edit) -> str:
    """Give one edit as an order."""
    member = edit.member
    at = f"{member.position}: " if member.position is not None else ""
    brings = f" (lets in {edit.brings})" if edit.brings else ""
    if member.kind is ConstraintKind.DATE:
        return f"{at}move exclude-newer to {edit.after}"
    if member.kind is ConstraintKind.ORDER:
        return f"{at}put the channel {edit.after} first"
    if edit.action is EditAction.DROP:
        return f"{at}drop {member.text}{brings}"
    if member.kind is ConstraintKind.FLOOR:
        was = f"from {edit.before} " if edit.before is not None else ""
        return f"{at}move the floor {member.name} of {member.platforms[0]} {was}to {edit.after}"
    label = "the constraint " if member.kind is ConstraintKind.CONSTRAINT else ""
    return f'{at}change {label}{member.name} from "{edit.before}" to "{edit.after}"{brings}'


def as_data(explanation: ConflictExplanation) -> dict[str, Any]:
    """Give an explanation as JSON values."""
    return {
        "platforms": list(explanation.platforms),
        "complete": explanation.complete,
        "conflicts": [
            {
                "subsets": [_core(mus) for mus in conflict.subsets],
                "suggestions": [_suggestion(item) for item in conflict.suggestions],
            }
            for conflict in explanation.conflicts
        ],
    }


def _core(mus: Mus) -> dict[str, Any]:
    return {
        "cause": mus.cause,
        "platforms": list(mus.platforms),
        "sentence": mus.sentence,
        "members": [_member(member) for member in mus.members],
        "tree": [_node(node) for node in mus.tree],
    }


def _member(member: SoftConstraint) -> dict[str, Any]:
    return {"kind": member.kind.value, "name": member.name, "text": member.text} | _place(member)


def _place(member: SoftConstraint) -> dict[str, Any]:
    position = member.position
    if position is None:
        return {"file": None, "line": None, "column": None}
    return {"file": str(position.file), "line": position.line, "column": position.column}


def _node(node: ConflictNode) -> dict[str, Any]:
    return {"text": node.text, "children": [_node(child) for child in node.children]}


def _suggestion(item: Suggestion) -> dict[str, Any]:
    return {
        "edits": [
            {
                "action": edit.action.value,
                "key": _key(edit.member),
                "before": edit.before,
                "after": edit.after,
                "brings": edit.brings,
                "versions_lost": edit.lost,
                "text": edit_line(edit),
            }
            | _place(edit.member)
            for edit in item.edits
        ]
    }


def _key(member: SoftConstraint) -> str:
    if member.kind is ConstraintKind.FLOOR:
        return f"platforms.{member.platforms[0]}.floor.{member.name}"
    return f"{_KEYS[member.kind]}.{member.name}" if member.kind in _KEYS else member.name
