"""Applying unified diffs: every line that a hunk states must be there, at one place only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cuvee.channel.patches.unified_diff import FilePatch, Hunk, split_lines
from cuvee.errors import BlockedError

_SHOWN = 12
_WIDTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What messages call a patch, and what it is applied to."""

    patch: str
    subject: str

    def refused(self, why: str) -> BlockedError:
        return BlockedError(
            f"The patch {self.patch} does not apply to {self.subject}:\n  {why}",
            hint="Make the patch for this version, or leave the patched package out if upstream has the fix.",
        )


def apply_patch(
    patches: Sequence[FilePatch], read: Callable[[str], bytes | None], *, name: str, subject: str
) -> Mapping[str, bytes | None]:
    """Return the new content of each file that a patch changes; `None` for one that it removes.

    Parameters
    ----------
    read
        Returns the content of a file; `None` if there is none.
    name, subject
        The patch, and what is patched, for messages.

    Raises
    ------
    BlockedError
        If a hunk does not apply: it names file and hunk, what is expected, and what was found.
    """
    names = _Names(patch=name, subject=subject)
    changed: dict[str, bytes | None] = {}
    for patch in patches:
        content = changed[patch.path] if patch.path in changed else read(patch.path)
        if patch.adds and content is not None:
            raise names.refused(f"it adds {patch.path}, which exists")
        if not patch.adds and content is None:
            raise names.refused(f"there is no {patch.path}")
        after = _applied(patch, content or b"", names)
        if patch.removes and after:
            raise names.refused(f"it removes {patch.path}, which has more lines than it states")
        changed[patch.path] = None if patch.removes else after
    return changed


def _applied(patch: FilePatch, content: bytes, names: _Names) -> bytes:
    lines = split_lines(content)
    result: list[bytes] = []
    done = moved = 0
    for hunk in patch.hunks:
        wanted = max(hunk.start - 1, 0) + moved
        place = _place(hunk, lines, wanted, done)
        if place is None:
            raise _does_not_apply(patch, hunk, lines, max(wanted, done), names)
        if not hunk.before and lines:
            raise names.refused(
                f"hunk {hunk.number} of {patch.path} (line {hunk.line} of the patch) has no context, so "
                "nothing says whether its place is right"
            )
        result += lines[done:place]
        result += hunk.after
        done = place + len(hunk.before)
        moved = place - max(hunk.start - 1, 0)
    return b"".join([*result, *lines[done:]])


def _place(hunk: Hunk, lines: Sequence[bytes], wanted: int, done: int) -> int | None:
    """Return where a hunk applies: as stated, or at the only other place that has exactly its lines."""
    before = list(hunk.before)
    length = len(before)
    if wanted >= done and lines[wanted : wanted + length] == before:
        return wanted
    if not before:
        return None
    places = [
        index
        for index in range(done, len(lines) - length + 1)
        if lines[index] == before[0] and lines[index : index + length] == before
    ]
    return places[0] if len(places) == 1 else None


def _does_not_apply(
    patch: FilePatch, hunk: Hunk, lines: Sequence[bytes], wanted: int, names: _Names
) -> BlockedError:
    before = list(hunk.before)
    there = list(lines[wanted : wanted + len(before)])
    count = sum(lines[i : i + len(before)] == before for i in range(len(lines) - len(before) + 1))
    first = next((i for i, line in enumerate(before) if there[i : i + 1] != [line]), 0)
    text = [f"hunk {hunk.number} of {patch.path} (line {hunk.line} of the patch) does not apply"]
    if count > 1:
        text.append(f"its lines are there {count} times, and none of that is at line {hunk.start}")
    text.append(f"expected at line {wanted + 1}:")
    text += _shown(before)
    text.append(f"found there, different from line {wanted + first + 1} on:")
    text += _shown(there) or ["  | (the end of the file)"]
    return names.refused("\n  ".join(text))


def _shown(lines: Sequence[bytes]) -> list[str]:
    texts = [line.decode(errors="replace").rstrip("\n")[:_WIDTH] for line in lines[:_SHOWN]]
    more = len(lines) - _SHOWN
    printable = ["".join(char if char.isprintable() else "�" for char in text) for text in texts]
    return [f"  | {text}".rstrip() for text in printable] + ([f"  | … {more} more lines"] if more > 0 else [])
