"""The files of an installed prefix, as a lifecycle compares them; files of a user in it, and damage to it."""

import shutil
from pathlib import Path

from cuvee.integration.left_files import Contents, contents

_KEPT = "conda-meta/cuvee/"
_OF_THIS_PREFIX = ("conda-meta/history", f"{_KEPT}state.json", f"{_KEPT}log.txt", f"{_KEPT}log.jsonl")
"""What records how a prefix was made: no two are alike."""

_SAVED = "cuvee-saved"
_LIBRARIES = ("lib", "Lib")
_TEXT = "Grüße von hier\n"


def installed_files(prefix: Path) -> Contents:
    """Return the files of a release in a prefix, without what records how it was made."""

    def is_own(name: str) -> bool:
        return name in _OF_THIS_PREFIX or name == _SAVED or name.startswith(f"{_SAVED}/")

    return contents(prefix, without=is_own)


class UserFiles:
    """Files that a user puts into a prefix, in a folder of their own and among those of the release."""

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        self._folder = prefix / "notes of the user"

    def write(self) -> None:
        """Write those that are not there."""
        for path in self._paths():
            path.parent.mkdir(exist_ok=True)
            path.write_text(_TEXT, encoding="utf-8")

    def lost(self) -> tuple[str, ...]:
        """Return the names of those that are gone, or not what was written."""
        return tuple(path.name for path in self._paths() if not _has(path, _TEXT))

    def remove(self) -> None:
        """Remove them."""
        for path in self._paths():
            path.unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _paths(self) -> tuple[Path, ...]:
        libraries = next(
            (self._prefix / name for name in _LIBRARIES if (self._prefix / name).is_dir()), self._folder
        )
        return (self._folder / "naïve plan.txt", libraries / "of the user.txt")


def damage(prefix: Path) -> tuple[str, ...]:
    """Change one file of a release and remove another; return their paths, none if it has no such files.

    They are not those that its own commands need, so that these can tell.
    """
    metadata = sorted(prefix.rglob("*.dist-info/*"))
    files = [path for path in (metadata or sorted(prefix.rglob("share/**/*"))) if _is_plain(path)]
    if not files:
        return ()
    # A new file: the old one may be linked from elsewhere.
    files[0].unlink()
    files[0].write_text("damaged\n", encoding="utf-8")
    if len(files) > 1:
        files[-1].unlink()
    names = [path.relative_to(prefix).as_posix() for path in (files[0], files[-1])]
    return tuple(dict.fromkeys(names))


def forget_saved(prefix: Path) -> None:
    """Remove what a repair has saved of the files that were damaged: it is the user's, and would stay."""
    shutil.rmtree(prefix / _SAVED, ignore_errors=True)


def _is_plain(path: Path) -> bool:
    return not path.is_symlink() and path.is_file() and path.stat().st_size > 0


def _has(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False
