"""Files that a document names, and paths that a command line names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import UsageError
from cuvee.manifest.documents.suggestions import did_you_mean, nearest

if TYPE_CHECKING:
    from cuvee.manifest.documents.problems import Problems
    from cuvee.manifest.documents.validated_tree import ScalarValue


def named_text(folder: Path, named: ScalarValue, problems: Problems) -> str:
    """Return the text of the file in ``folder`` that a value names; empty when there is a problem with it."""
    name = str(named.value)
    try:
        text = (folder / name).read_bytes().decode()
    except UnicodeDecodeError:
        problems.add(named.span, f"{name} is not UTF-8 text", advice="save the file as UTF-8")
    except (OSError, ValueError):
        add_absent_file(folder, name, named, problems)
    else:
        if "\0" not in text:
            return text
        problems.add(
            named.span, f"{name} is not text: it has null characters", advice="save it as UTF-8 text"
        )
    return ""


def add_absent_file(folder: Path, name: str, named: ScalarValue, problems: Problems) -> None:
    """Note that a value names a file which does not exist."""
    advice = did_you_mean(Path(name).name, names_in((folder / name).parent, Path.is_file))
    problems.add(named.span, f"there is no file {name} beside this one", advice=advice)


def missing_path(path: Path, *, what: str = "", hint: str) -> UsageError:
    """Return the error that a path on the command line does not exist: that is wrong usage, whoever finds it.

    Parameters
    ----------
    what
        What it should be, such as ``lock``.
    hint
        What to do, unless the path resembles one that exists.
    """
    likely = likely_path(path)
    return UsageError(
        f"There is no {what} at {path}" if what else f"There is no {path}",
        hint=f"Did you mean {likely}?" if likely else hint,
    )


def likely_path(path: Path) -> Path | None:
    """Return an existing path that differs from ``path`` by one name that is spelt almost the same."""
    for parent in (path, *path.parents):
        known = names_in(parent.parent, lambda _: True)
        if not known:
            continue
        if parent.name in known:
            return None
        for name in filter(None, [nearest(parent.name, known)]):
            found = parent.parent / name / path.relative_to(parent)
            return found if found.exists() else None
        return None
    return None


def names_in(folder: Path, select: Callable[[Path], bool]) -> list[str]:
    """Return the names in a folder that ``select`` takes, sorted; none when it cannot be read."""
    try:
        return sorted(path.name for path in folder.iterdir() if select(path))
    except (OSError, ValueError):
        return []
