"""What a program changed in folders: the files in them before and after, by content."""

from collections.abc import Mapping, Sequence

_SHOWN = 10

Contents = Mapping[str, tuple[int, str]]
"""The mode, and the hash of the content or what a link names, by path; see ``inside/desktop_files.py``."""


def differences(before: Contents, after: Contents) -> tuple[str, ...]:
    """Return each path that differs, with how; a new folder only if nothing is in it."""
    full = {name.rpartition("/")[0] for name in after}
    new = [f"new: {name}" for name in after if name not in before and name not in full]
    gone = [f"gone: {name}" for name in before if name not in after]
    changed = [
        f"{'mode' if before[name][1] == after[name][1] else 'changed'}: {name}"
        for name in after
        if name in before and before[name] != after[name]
    ]
    return (*sorted(new), *sorted(changed), *sorted(gone))


def listed(found: Sequence[str]) -> str:
    """Return differences as a reason: the first ones, and how many more there are."""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
