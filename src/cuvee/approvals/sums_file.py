"""``SHA256SUMS`` of a release folder: the hash of every file that the release consists of."""

import re
from collections.abc import Mapping
from pathlib import Path

from cuvee.errors import IntegrityError, SourceUnreachableError

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n\\]+)\n")


def sums_text(files: Mapping[str, str]) -> str:
    """Return the lines of ``SHA256SUMS``, in the form that ``sha256sum --check`` reads, sorted by path."""
    return "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(files.items()))


def read_sums(folder: Path) -> dict[str, str]:
    """Return what ``SHA256SUMS`` of a release folder says: path to hash.

    Raises
    ------
    SourceUnreachableError
        If there is none.
    IntegrityError
        If it is not what cuvee writes.
    """
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceUnreachableError(
            f"{folder / SUMS} cannot be read: {error}", hint="`cuvee release` writes it."
        ) from error
    return parse_sums(text, source=str(folder / SUMS))


def parse_sums(text: str, *, source: str = SUMS) -> dict[str, str]:
    """Return what the text of ``SHA256SUMS`` says: path to hash.

    Raises
    ------
    IntegrityError
        If it is not what cuvee writes.
    """
    found = {path: sha256 for sha256, path in _LINE.findall(text)}
    if sums_text(found) != text or any({"", "..", "."} & {*path.split("/")} for path in found):
        raise IntegrityError(f"{source} is not what cuvee writes", hint="Run `cuvee release` again.")
    return found
