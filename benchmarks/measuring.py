"""What benchmarks share: finding programs, and processor time."""

import resource
import shutil


def program(name: str) -> str:
    """Return where a program is; without it nothing can be measured."""
    path = shutil.which(name)
    if path is None:
        raise SystemExit(f"{name} is not installed")
    return path


def processor_seconds() -> float:
    """Seconds of processor time that this process and its children took so far."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    return total
