"""Numbers as people read them."""

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def human_size(size: int) -> str:
    """Return bytes with three digits and a decimal unit: ``48.2 MB``."""
    value, unit = float(size), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:  # noqa: PLR2004  (what would print as 1000)
        value, unit = value / 1000, unit + 1
    if unit == 0:
        return plural(size, "byte")
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0  # noqa: PLR2004  (three digits in all)
    return f"{value:.{digits}f} {_UNITS[unit]}"


def human_time(seconds: float) -> str:
    """Return a duration: ``0.04 s``, ``12.3 s``, ``3 min 20 s``, ``1 h 05 min``."""
    if seconds < 10:  # noqa: PLR2004  (two digits are enough from here)
        return f"{seconds:.2f} s"
    if round(seconds) < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def plural(count: int, noun: str) -> str:
    """Return ``1 test``, ``2 tests``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
