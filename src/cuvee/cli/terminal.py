"""Progress on stderr: live bars on a terminal, plain step lines in a log."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cuvee.cli.output import say, visible
from cuvee.progress import SILENT, Reporter

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def is_dumb() -> bool:
    """Whether the terminal has no colours and cannot move its cursor: terminfo(5) calls it ``dumb``."""
    return os.environ.get("TERM", "") == "dumb"


class PlainReporter:
    """A line when a task begins and one when it ends; with ``verbose``, a line per unit."""

    _ended = ""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._started: dict[str, float] = {}
        self._lock = threading.Lock()

    def start(self, task: str, *, total: int | None = None) -> None:
        self._started[task] = time.monotonic()
        self._line(f"{task} …" if total is None else f"{task} ({total}) …")

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
        if self._verbose and note:
            self._line(f"  {note}")

    def finish(self, task: str, *, note: str = "") -> None:
        seconds = time.monotonic() - self._started.pop(task, time.monotonic())
        self._line(f"{self._ended}{task}: {note or 'done'} ({seconds:.1f} s)")

    def say(self, message: str) -> None:
        self._line(message)

    def warn(self, message: str) -> None:
        self._line(f"warning: {message}")

    def _line(self, text: str) -> None:
        with self._lock:
            say(text, err=True)


class LiveReporter(PlainReporter):
    """Bars while tasks run, a line when they end."""

    _ended = "✓ "

    def __init__(self, progress: "Progress", *, verbose: bool) -> None:
        super().__init__(verbose=verbose)
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def start(self, task: str, *, total: int | None = None) -> None:
        from rich.markup import escape

        self._started[task] = time.monotonic()
        self._tasks[task] = self._progress.add_task(escape(visible(task)), total=total, note="")

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
        if task in self._tasks:
            from rich.markup import escape

            self._progress.update(self._tasks[task], advance=amount, note=escape(visible(note[:40])))
        super().advance(task, amount, note=note)

    def finish(self, task: str, *, note: str = "") -> None:
        if task in self._tasks:
            self._progress.remove_task(self._tasks.pop(task))
        super().finish(task, note=note)

    def warn(self, message: str) -> None:
        self._line(f"! {message}", style="yellow")

    def _line(self, text: str, *, style: str | None = None) -> None:
        self._progress.console.print(
            visible(text), style=style, markup=False, highlight=False, soft_wrap=True
        )


@contextmanager
def terminal(*, quiet: bool, verbose: bool) -> Iterator[Reporter]:
    """Yield the reporter that fits stderr."""
    if quiet:
        yield SILENT
    elif is_dumb() or not sys.stderr.isatty():
        yield PlainReporter(verbose=verbose)
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("[dim]{task.fields[note]}", markup=True),
            console=Console(stderr=True),
            transient=True,
        ) as progress:
            yield LiveReporter(progress, verbose=verbose)
