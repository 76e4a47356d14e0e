"""Asking the Python index ahead what an earlier run has asked it.

A wheel may have been yanked since, so that no answer is kept from run to run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.channel.wheels import uv
from cuvee.channel.wheels.model import ResolutionTarget
from cuvee.codec import Document
from cuvee.errors import CuveeError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from cuvee.process import Completed

_LINE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==[0-9a-z.!+]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexQuestion:
    """What the index has of these versions, ``name==version``, for one platform."""

    lines: tuple[str, ...]
    target: ResolutionTarget

    def ask(self) -> Completed:
        """Return the answer of uv."""
        return uv.compile_requirements(list(self.lines), target=self.target, more=("--no-deps",))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Questions:
    questions: tuple[IndexQuestion, ...]


_DOCUMENT = Document(name="index-questions", kind=_Questions)


@dataclass(slots=True)
class IndexQuestions:
    """The questions of a run. An answer is used once, and only for the very question that it answers."""

    asked: list[IndexQuestion] = field(default_factory=list)
    _ahead: list[tuple[IndexQuestion, Future[Completed]]] = field(default_factory=list)

    def ask_ahead(self, path: Path) -> None:
        """Begin to ask what an earlier run has left at ``path``; a file that cannot be read asks nothing."""
        from concurrent.futures import ThreadPoolExecutor

        try:
            questions = _DOCUMENT.read(path).questions
        except CuveeError:
            return
        lines = [line for item in questions for line in item.lines]
        if not lines or not all(map(_LINE.fullmatch, lines)):
            return  # uv would take options and URLs, too
        threads = ThreadPoolExecutor(len(questions), thread_name_prefix="index")
        self._ahead += [(item, threads.submit(item.ask)) for item in questions]
        threads.shutdown(wait=False)

    def answer(self, question: IndexQuestion) -> Completed:
        """Return the answer to a question: the one that was asked for ahead, or that of now."""
        self.asked.append(question)
        for item in self._ahead:
            if item[0] == question:
                self._ahead.remove(item)
                return item[1].result()
        return question.ask()

    def note(self, question: IndexQuestion) -> None:
        """Have the next run ask a question that this one had no need to ask."""
        if question not in self.asked:
            self.asked.append(question)

    def save(self, path: Path) -> None:
        """Leave the questions of this run for the next one."""
        if self.asked:
            _DOCUMENT.write(path, _Questions(questions=tuple(self.asked)))
        else:
            path.unlink(missing_ok=True)
