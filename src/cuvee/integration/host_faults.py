"""Faults of the host, as far as what a program has written tells them: they say nothing about the release."""

import re

_SAID = re.compile(
    r"(?P<space>No space left on device|Disk quota exceeded|\[Errno (?:28|122)\]"
    r"|Is the disk full|The disk is full|needs \d+ MB in .*, but only \d+ MB are free)"
    r"|(?P<memory>Cannot allocate memory|\[Errno 12\]|^MemoryError\b|can't start new thread)"
    r"|(?P<killed>killed by SIGKILL)"
    r"|(?P<terminal>out of pty devices)"
    r"|(?P<connection>^cuvee: the connection to .+ was lost: )"
    r"|(?P<machine>: cuvee could not prepare or watch the program on this machine$)"
    r"|(?P<wine>^ShellExecuteEx failed: Internal error)"
    r"|(?P<processes>\bfork: (?:retry: )?Resource temporarily unavailable)",
    flags=re.MULTILINE,
)
_MEANS = {
    "space": "the host has no space left",
    "memory": "the host has no memory left",
    "killed": "the host killed it, as it does when memory runs out",
    "connection": "the connection to the machine was lost",
    "machine": "cuvee could not prepare or watch the program on the machine",
    "terminal": "the host has no pseudo-terminals left",
    "wine": "Wine could not start the program",
    "processes": "the host allows no more processes",
}


def host_fault(*texts: str) -> str:
    """Return which fault of the host a program's output and ending tell; the empty text if none."""
    for text in texts:
        found = _SAID.search(text)
        if found is not None:
            return _MEANS[str(found.lastgroup)]
    return ""
