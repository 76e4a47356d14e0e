"""Files that a document names."""

from collections.abc import Callable
from pathlib import Path

from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.suggestions import did_you_mean
from cuvee.manifest.documents.validated_tree import ScalarValue


def named_text(folder: Path, named: ScalarValue, problems: Problems) -> str:
    """Return the text of the file in ``folder`` that a value names; empty when there is a problem with it."""
    name = str(named.value)
    try:
        return (folder / name).read_bytes().decode()
    except UnicodeDecodeError:
        problems.add(named.span, f"{name} is not UTF-8 text", advice="save the file as UTF-8")
    except (OSError, ValueError):
        add_absent_file(folder, name, named, problems)
    return ""


def add_absent_file(folder: Path, name: str, named: ScalarValue, problems: Problems) -> None:
    """Note that a value names a file which does not exist."""
    advice = did_you_mean(Path(name).name, names_in((folder / name).parent, Path.is_file))
    problems.add(named.span, f"there is no file {name} beside this one", advice=advice)


def names_in(folder: Path, select: Callable[[Path], bool]) -> list[str]:
    """Return the names in a folder that ``select`` takes, sorted; none when it cannot be read."""
    try:
        return sorted(path.name for path in folder.iterdir() if select(path))
    except (OSError, ValueError):
        return []
