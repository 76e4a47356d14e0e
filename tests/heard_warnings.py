"""A reporter that keeps warnings, for tests that look at them."""

from cuvee.progress import Silent


class HeardWarnings(Silent):
    """Keeps the warnings in ``lines``."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warn(self, message: str) -> None:
        self.lines.append(message)
