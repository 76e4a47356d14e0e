"""Words that the repository does not use, what it uses instead, and a checker that finds them.

``python tests/prose_rules.py PATH...`` lists what is left in files and folders.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from python_sources import Text, texts

TEMPLATES = {".j2", ".sh", ".nsi", ".nsh", ".css", ".js", ".html", ".ini", ".yaml", ".toml", ".md", ".sql"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A regular expression in which a space stands for any white space, and what to write instead.

    Attributes
    ----------
    pattern
        What is looked for, whatever its case.
    instead
        What to write.
    kinds
        The kinds of text that the rule is for; empty for all.
    """

    pattern: str
    instead: str
    kinds: frozenset[str] = frozenset()

    def matches(self, text: Text) -> Iterator[re.Match[str]]:
        """Yield where a text has the pattern."""
        if not self.kinds:
            yield from re.finditer(self.pattern.replace(" ", r"\s+"), text.text, re.IGNORECASE)
        elif text.kind in self.kinds:
            yield from re.finditer(self.pattern, text.text)


FUNCTION = frozenset({"function"})
DOCSTRING = frozenset({"function", "docstring"})

# The English of the documentation of conda and pip: short, literal, without inversions and riddles.
RULES = (
    Rule(pattern=r"\bcan not\b", instead="cannot"),
    Rule(pattern=r"\b(un)?mend(s|ed|ing)?\b", instead="fix, repair"),
    Rule(pattern=r"\bfor ever\b", instead="forever, always, never expires"),
    Rule(
        pattern=r"\b(held|holds?|holding) (the \w+ |them |it |that |this )?to\b",
        instead="compared with, checked against",
    ),
    Rule(pattern=r"\bdear(er|est)?\b", instead="expensive, slow"),
    Rule(pattern=r"\bwhom\b", instead="which, whose; or name the person's role"),
    Rule(
        pattern=r"(?<!there\s)\b(is|are|was|were) no (?!longer|more|less|such|\w+er\b|better|worse)\w+",
        instead="is not a …; there is no …; has no …",
    ),
    Rule(pattern=r"\b(let|lets|letting) (\w+ )?go\b", instead="release, drop, relax"),
    Rule(pattern=r"\b(bear|bears|bearing|bore|borne)\b(?! in mind)", instead="support, accept, have, allow"),
    Rule(pattern=r"(?<![-\w])alone\b", instead="only; by itself, on its own"),
    Rule(pattern=r"\bnobody\b", instead="no user, no package, none; or the passive: 'is not requested'"),
    Rule(pattern=r"\bask(s|ed|ing)? of\b", instead="require, need, request from"),
    Rule(pattern=r"\b(come|comes|came|coming) to\b(?! (light|an end))", instead="reach, result in, total"),
    Rule(pattern=r"\bwhat is there\b", instead="existing files, installed packages: name them"),
    Rule(pattern=r"\b(afresh|anew)\b", instead="again"),
    Rule(pattern=r"\b(speak|speaks|spoke|speaking) of\b", instead="describe, mention, name, be about"),
    Rule(
        pattern=r"\b(lie|lies) (in|on|at|below|beside|behind|next|around|outside|within|under|elsewhere)\b",
        instead="is in, is next to",
    ),
    Rule(pattern=r"\b(shelf|shelves)\b", instead="source tree, folder"),
    Rule(pattern=r"(?<![-\w])clash(es|ed|ing)?\b(?!-)", instead="conflict, collide"),
    Rule(pattern=r"\b(ought|shall|upon|thereof|hitherto|wherein|lest)\b", instead="must, on, of it"),
    Rule(pattern=r"^(Give|Gives|Tell|Tells)\b", instead="Return …, Yield …, or Write …", kinds=DOCSTRING),
    Rule(pattern=r"^Say (whether|what|which|how|why|who|where|if)\b", instead="Return …", kinds=FUNCTION),
    Rule(
        pattern=r"^(Is|Are|Was|Does|Has|Can|Could|Must|May|Should|What|Which|Who|How|Where|Why|Whose|When"
        r"|The|A|An|Each|Every|All|For|From|Nothing|No)\b",
        instead="a statement: Return …, Raise …, Whether …, Yield …, or an imperative verb",
        kinds=FUNCTION,
    ),
    Rule(pattern=r"\A[^\n]*\?[ \t]*(\n|\Z)", instead="a statement, not a question", kinds=DOCSTRING),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offence:
    """Words that a rule found."""

    path: Path
    line: int
    words: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words!r}: write {self.instead}"


def offences(path: Path) -> Iterator[Offence]:
    """Yield what is to be rewritten in a file: a Python file's texts, or all of another one."""
    if path.suffix == ".py":
        found: Iterator[Text] = texts(path)
    else:
        found = iter([Text(kind="page", text=path.read_text(encoding="utf-8", errors="replace"), line=1)])
    for text in found:
        if " " not in text.text.strip():
            continue
        for rule in RULES:
            for match in rule.matches(text):
                line = text.line + text.text.count("\n", 0, match.start()) * (text.kind != "string")
                words = " ".join(match[0].split())
                yield Offence(path=path, line=line, words=words, instead=rule.instead)


def prose_files(path: Path) -> list[Path]:
    """Return a file, or the files below a folder that have prose in them."""
    if path.is_file():
        return [path]
    return sorted(
        file
        for file in path.rglob("*")
        if file.is_file()
        and (file.suffix == ".py" or file.suffix in TEMPLATES)
        and not {"_build", "__pycache__", ".venv"}.intersection(file.parts)
    )


def main(arguments: list[str]) -> int:
    """List what is left to rewrite below the paths that are named."""
    found = [offence for name in arguments for path in prose_files(Path(name)) for offence in offences(path)]
    sys.stdout.writelines(f"{offence}\n" for offence in found)
    sys.stdout.write(f"{len(found)} left\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
