"""The repository's prose is plain: no word of `prose_rules.RULES` is in it."""

from pathlib import Path

import pytest

from prose_rules import RULES, offences, prose_files
from python_sources import Text

READ = ("src/cuvee", "docs", "integration_tests", "benchmarks")


def _files(root: Path) -> dict[str, Path]:
    """Return the files that have prose, by their path from the root."""
    tops = [*root.glob("*.md"), *(root / name for name in READ if (root / name).exists())]
    files = (file for top in tops for file in prose_files(top))
    return {path.relative_to(root).as_posix(): path for path in files}


def test_the_prose_is_plain(root: Path) -> None:
    """``python tests/prose_rules.py PATH...`` prints the same list."""
    found = [
        f"{name}:{offence.line}: {offence.words!r}: write {offence.instead}"
        for name, path in _files(root).items()
        for offence in offences(path)
    ]
    assert not found, "\n".join(["", *found])


PLAIN = (
    "It cannot be read: there is no match spec.",
    "The record is no longer current, and is no larger than before.",
    "A stand-alone program comes to an end.",
)
NOT_PLAIN = (
    "It can not be read.",
    "Mend the recipe.",
    "A waiver is for ever.",
    "It is held to the lock.",
    "A solve is dear.",
    "Whom it concerns.",
    "This is no match spec.",
    "The loop lets go of it.",
    "Paths bear a limit.",
    "It reads the lock\nalone.",
    "Nobody asked.",
    "It is asked of the system.",
    "What it came to.",
    "It removes what is there.",
    "It is written anew.",
    "The page speaks of it.",
    "It lies in a folder.",
    "The package's shelf, and shelves.",
    "Two names clash.",
    "It shall be read.",
)


def _found(kind: str, text: str) -> list[str]:
    return [
        rule.pattern for rule in RULES if any(True for _ in rule.matches(Text(kind=kind, text=text, line=1)))
    ]


@pytest.mark.parametrize("text", PLAIN)
def test_plain_words_pass(text: str) -> None:
    assert not _found("page", text)


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_each_word_is_found(text: str) -> None:
    assert len(_found("comment", text)) == 1


@pytest.mark.parametrize(
    "text", ["Give it.", "Say whether it is.", "Why it is.", "One question, is it true?"]
)
def test_docstrings_of_functions_are_statements(text: str) -> None:
    assert _found("function", text)
    assert not _found("comment", text)
