"""The file names of a report's pages, and the places of outcomes on them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from cuvee.files import sha256_bytes

OUTCOMES_PER_PAGE = 4000
"""How many outcomes one page of a platform has; the others are on a second page, and so on."""

_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
}


def file_name(name: str) -> str:
    """Return the file name of a page about ``name``, which every file system allows."""
    reserved = name.partition(".")[0].lower() in _RESERVED
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return f"{safe}_.html" if reserved else f"{safe}.html"


def outcomes_page(platform: str, number: int) -> str:
    """Return the path, in the report's folder, of a page with outcomes of a platform; pages count from 1."""
    return f"tests/{file_name(platform if number == 1 else f'{platform}.{number}')}"


def outcome_places(outcomes: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """Yield the place of each outcome: ``tests/linux-64.html#t0123456789``.

    The part behind ``#`` follows from suite and test, so that it is the same in the next release.

    Parameters
    ----------
    outcomes
        Platform, suite and test of each, in the order of the pages.
    """
    before: Counter[str] = Counter()
    same: Counter[tuple[str, str, str]] = Counter()
    for outcome in outcomes:
        platform, suite, test = outcome
        number = before[platform] // OUTCOMES_PER_PAGE + 1
        before[platform] += 1
        same[outcome] += 1
        again = f"-{same[outcome]}" if same[outcome] > 1 else ""
        digest = sha256_bytes(f"{suite}\0{test}".encode(errors="surrogatepass"))
        yield f"{outcomes_page(platform, number)}#t{digest[:10]}{again}"
