"""Look at the files of an installed release as its user has them, damage them, and add files of a user.

Usage: ``python desktop_files.py SPEC.json`` on a machine that cuvee is not on, where SPEC.json has the keys
``what``, a name in `ANSWERS`, ``path``, and ``answer``, the JSON file that the answer is written to.
"""

from __future__ import annotations  # for releases with an old Python

import hashlib
import json
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import Any

_KEPT = "conda-meta/cuvee/"
_OF_THIS_PREFIX = ("conda-meta/history", f"{_KEPT}state.json", f"{_KEPT}log.txt", f"{_KEPT}log.jsonl")
"""What records how a prefix was made: no two are alike."""

_SAVED = "cuvee-saved"
_LIBRARIES = ("lib", "Lib")
_TEXT = "Grüße von hier\n"
_CHUNK = 1 << 20


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    """Return what is in a folder, by paths relative to it with ``/``; links are not followed.

    Each has its mode, and the hash of its content or what a link names; folders have no hash.
    """
    found = {}
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(top, name)
            try:
                mode = path.lstat().st_mode
                found[path.relative_to(folder).as_posix()] = mode, _content(path, mode)
            except OSError:
                continue  # removed in the meantime, or not ours to read
    return found


def installed(prefix: Path) -> dict[str, tuple[int, str]]:
    """Return the files of a release in a prefix, without what records how it was made."""

    def is_own(name: str) -> bool:
        return name in _OF_THIS_PREFIX or name == _SAVED or name.startswith(f"{_SAVED}/")

    return {name: item for name, item in contents(prefix).items() if not is_own(name)}


def write_user_files(prefix: Path) -> None:
    """Write files that a user puts into a prefix, in a folder of their own and among those of the release."""
    for path in _user_files(prefix):
        path.parent.mkdir(exist_ok=True)
        path.write_text(_TEXT, encoding="utf-8")


def lost_user_files(prefix: Path) -> tuple[str, ...]:
    """Return the names of those that are gone, or not what was written."""
    return tuple(path.name for path in _user_files(prefix) if not _has(path, _TEXT))


def remove_user_files(prefix: Path) -> None:
    """Remove them."""
    for path in _user_files(prefix):
        if path.exists():
            path.unlink()
    shutil.rmtree(_user_folder(prefix), ignore_errors=True)


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


def remove(prefix: Path) -> None:
    """Remove what is left of a prefix."""
    shutil.rmtree(prefix, ignore_errors=True)


_ALL = (
    contents,
    installed,
    write_user_files,
    lost_user_files,
    remove_user_files,
    damage,
    forget_saved,
    remove,
)
ANSWERS = {answer.__name__: answer for answer in _ALL}


def _user_folder(prefix: Path) -> Path:
    return prefix / "notes of the user"


def _user_files(prefix: Path) -> tuple[Path, ...]:
    folder = _user_folder(prefix)
    libraries = next((prefix / name for name in _LIBRARIES if (prefix / name).is_dir()), folder)
    return (folder / "naïve plan.txt", libraries / "of the user.txt")


def _content(path: Path, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return f"-> {os.fsdecode(os.readlink(path))}"  # noqa: PTH115 - of an old Python
    if not stat.S_ISREG(mode):
        return ""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while data := stream.read(_CHUNK):
            digest.update(data)
    return digest.hexdigest()


def _is_plain(path: Path) -> bool:
    return not path.is_symlink() and path.is_file() and path.stat().st_size > 0


def _has(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, ValueError):
        return False


def main(spec: dict[str, Any]) -> int:
    found = ANSWERS[spec["what"]](Path(spec["path"]))
    Path(spec["answer"]).write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
