"""Waiting for a solver whose answer may not end: it is given up when it takes too much memory.

resolvo, which is rattler's solver, explains a conflict by following requirements. Where packages that it has
not merged with others require each other it goes round in circles, and the text grows by about 100 MB per
second, until memory is used up. Its thread cannot be ended, so what waits for it has to go on without.
"""

import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

MOST_MEMORY = 3_000_000_000
"""Bytes that a process may take while a solver works: real channels need less than a third of it."""

_ENDLESS = (
    "rattler's own explanation did not end: it follows packages that require each other round in circles"
)

_LOOK = 0.5
_Result = TypeVar("_Result")


class EndlessAnswerError(Exception):
    """A solver has taken more memory than any answer needs."""


async def answer_of(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Return what a solver answers.

    Raises
    ------
    EndlessAnswerError
        If the process has taken `MOST_MEMORY` more than before; the solver's thread goes on until the end.
    """
    import asyncio

    before, task = peak_memory(), asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK))[0]:
            if peak_memory() - before > MOST_MEMORY:
                raise EndlessAnswerError(_ENDLESS)
    finally:
        task.cancel()
    return task.result()


def is_endless(answer: str) -> bool:
    """Whether a text says that an answer was given up."""
    return answer == _ENDLESS


def peak_memory() -> int:
    """Return how many bytes of memory this process has had at most; 0 on Windows, where Python cannot say."""
    if sys.platform == "win32":
        return 0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
