"""An explanation as text, and as JSON values."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cuvee.codec import Json, encode
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
from cuvee.graph.explain.telling_causes import MOST_CAUSES, telling

_KEYS = {ConstraintKind.REQUIREMENT: "packages", ConstraintKind.CONSTRAINT: "constraints"}
_MOST_SHOWN = 5
_INSTEAD = {
    EditAction.RENAME: "write {after} instead of {name}",
    EditAction.RESTRICT: "limit {name} to platforms: {after}",
    EditAction.IMPORT: "add {name} to wheels, which imports it from the Python index",
}
"""Edits that keep a package, instead of dropping it."""


def message(explanation: ConflictExplanation, *, whole: bool = False) -> str:
    """Return an explanation as text.

    Of many conflicts it has the best way out first, then those that say most, and how many more there are.
    With ``whole`` it has them all, each with its ways out.
    """
    have = "has" if len(explanation.platforms) == 1 else "have"
    lines = [f"{', '.join(explanation.platforms)} {have} no solution"]
    left = 0 if whole else _count(explanation.conflicts) - MOST_CAUSES
    if left <= 0:
        lines += _cause_lines(explanation.conflicts, explanation.platforms)
    else:
        lines += _best_lines(explanation)
        shown = [replace(item, suggestions=()) for item in telling(explanation.conflicts)]
        lines += _cause_lines(shown, explanation.platforms)
        conflicts = "conflict that is" if left == 1 else "conflicts that are"
        lines += ["", f"… and {left} more {conflicts} not shown"]
    if not explanation.complete:
        lines += ["", "There may be more conflicts; fix these first."]
    return "\n".join(lines)


def _count(conflicts: Iterable[Conflict]) -> int:
    return sum(len(conflict.subsets) for conflict in conflicts)


def _best_lines(explanation: ConflictExplanation) -> Iterator[str]:
    """Yield the best suggestion of each conflict, a line for each edit."""
    best, is_whole = _best(explanation)
    if best:
        yield ""
        if not is_whole:
            yield "  The best ways out; some conflicts have none:"
        elif all(map(_is_verified, best)):
            yield "  The smallest change that has a solution:"
        else:
            yield "  The likely way out:"
        for suggestion in best:
            yield from (f"  - {edit_line(edit)}" for edit in suggestion.edits)


def _cause_lines(found: Iterable[Conflict], platforms: Sequence[str]) -> Iterator[str]:
    causes: dict[str, list[Conflict]] = {}
    for conflict in found:
        causes.setdefault(conflict.subsets[0].cause, []).append(conflict)
    for number, (cause, conflicts) in enumerate(causes.items(), 1):
        heading = f"{number}. " if len(causes) > 1 else ""
        several = sum(len(conflict.subsets) for conflict in conflicts) > 1
        yield ""
        if several or heading:
            yield f"{heading}{cause}" + (":" if several else "")
        for conflict in conflicts:
            yield from _conflict_lines(conflict, platforms)


def _best(explanation: ConflictExplanation) -> tuple[list[Suggestion], bool]:
    """Return the best suggestion of each conflict that has one, and whether all have."""
    best = [conflict.suggestions[0] for conflict in explanation.conflicts if conflict.suggestions]
    return best, len(best) == len(explanation.conflicts)


def hint(explanation: ConflictExplanation, *, whole: bool = False) -> str:
    """Return the best suggestion of each conflict as one sentence; of many conflicts, how to see them all."""
    best, is_whole = _best(explanation)
    count = _count(explanation.conflicts)
    if count > MOST_CAUSES and not whole:
        has = "The change above has a solution. " if is_whole and all(map(_is_verified, best)) else ""
        return f"{has}`--verbose` shows all {count} conflicts, `--json` has them as data."
    if not is_whole:
        return "Relax or change one of the lines above, or add a channel that has what they request."
    edits = "; ".join(edit_line(edit) for item in best for edit in item.edits)
    if not all(map(_is_verified, best)):
        return f"The likely way out: {edits}"
    return f"The smallest change that has a solution: {edits}"


def _is_verified(item: Suggestion) -> bool:
    return all(edit.action is not EditAction.IMPORT for edit in item.edits)


def _conflict_lines(conflict: Conflict, platforms: Sequence[str]) -> Iterator[str]:
    causes = [mus.cause for mus in conflict.subsets]
    for mus in sorted(conflict.subsets, key=lambda mus: causes.index(mus.cause)):
        where = "" if set(mus.platforms) == set(platforms) else f"on {', '.join(mus.platforms)}: "
        yield f"  {where}{mus.sentence}"
        if len(mus.members) > 1 or any(child.children for node in mus.tree for child in node.children):
            yield from _tree_lines(mus.tree, "    ")
    shown = conflict.suggestions[:_MOST_SHOWN]
    if len(shown) > 1:
        are_verified = all(map(_is_verified, shown))
        yield f"  To fix it, do one of these{'; each has a solution' if are_verified else ''}:"
    elif shown:
        yield "  To fix it:"
    for suggestion in shown:
        yield "  - " + "; ".join(edit_line(edit) for edit in suggestion.edits)


def _tree_lines(nodes: Iterable[ConflictNode], indent: str) -> Iterator[str]:
    for node in nodes:
        yield f"{indent}{node.text}"
        yield from _tree_lines(node.children, indent + "  ")


def edit_line(edit: Edit) -> str:
    """Return one edit as an instruction."""
    position = edit.member.position
    return (f"{position}: " if position is not None else "") + _instruction(edit)


def _instruction(edit: Edit) -> str:
    member = edit.member
    brings = f" (allows {edit.brings})" if edit.brings else ""
    if edit.action in _INSTEAD:
        return _INSTEAD[edit.action].format(name=member.name, after=edit.after)
    if member.kind is ConstraintKind.DATE:
        return f"move exclude-newer to {edit.after}"
    if member.kind is ConstraintKind.ORDER:
        return f"put the channel {edit.after} first"
    if edit.action is EditAction.DROP:
        without = f"make no installers, formats: {{}}, so that {member.name} is not needed"
        return without if member.reason else f"drop {member.text}{brings}"
    if member.kind is ConstraintKind.FLOOR:
        before = f"from {edit.before} " if edit.before is not None else ""
        return f"move the floor {member.name} of {member.platforms[0]} {before}to {edit.after}"
    label = "the constraint " if member.kind is ConstraintKind.CONSTRAINT else ""
    return f'change {label}{member.name} from "{edit.before}" to "{edit.after}"{brings}'


def as_data(explanation: ConflictExplanation) -> dict[str, Json]:
    """Return an explanation as JSON values."""
    return {
        "platforms": list(explanation.platforms),
        "complete": explanation.complete,
        "conflicts": [
            {
                "subsets": [_subset(mus) for mus in conflict.subsets],
                "suggestions": [_suggestion(item) for item in conflict.suggestions],
            }
            for conflict in explanation.conflicts
        ],
    }


def _subset(mus: Mus) -> Json:
    return {
        "cause": mus.cause,
        "platforms": list(mus.platforms),
        "sentence": mus.sentence,
        "members": [
            {"kind": member.kind.value, "name": member.name, "text": member.text, **_position(member)}
            for member in mus.members
        ],
        "tree": encode(mus.tree),
    }


def _position(member: SoftConstraint) -> dict[str, Json]:
    position = member.position
    if position is None:
        return {"file": None, "line": None, "column": None}
    return {"file": str(position.file), "line": position.line, "column": position.column}


def _suggestion(item: Suggestion) -> Json:
    return {
        "edits": [
            {
                "action": edit.action.value,
                "key": _key_of(edit),
                "before": edit.before,
                "after": edit.after,
                "brings": edit.brings,
                "versions_lost": edit.lost,
                "text": edit_line(edit),
                **_position(edit.member),
            }
            for edit in item.edits
        ]
    }


def _key_of(edit: Edit) -> str:
    if edit.action is EditAction.IMPORT:
        return "wheels"
    if edit.member.reason:
        return "installers.formats"
    key = _key(edit.member)
    return f"{key}.platforms" if edit.action is EditAction.RESTRICT else key


def _key(member: SoftConstraint) -> str:
    if member.kind is ConstraintKind.FLOOR:
        return f"platforms.{member.platforms[0]}.floor.{member.name}"
    return f"{_KEYS[member.kind]}.{member.name}" if member.kind in _KEYS else member.name
