"""Names that people or programs may take for one another."""

import enum
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_SHORTEST = 5
"""Letters of the shortest name of which a similar one is told: of shorter ones, many differ in one letter."""

_SHAPES = {
    "0": "o",
    "1": "l",
    "i": "l",
    "5": "s",
    "rn": "m",
    "vv": "w",
    "\N{CYRILLIC SMALL LETTER A}": "a",
    "\N{CYRILLIC SMALL LETTER IE}": "e",
    "\N{CYRILLIC SMALL LETTER O}": "o",
    "\N{CYRILLIC SMALL LETTER ER}": "p",
    "\N{CYRILLIC SMALL LETTER ES}": "c",
    "\N{CYRILLIC SMALL LETTER U}": "y",
    "\N{CYRILLIC SMALL LETTER HA}": "x",
    "\N{CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I}": "l",
    "\N{GREEK SMALL LETTER OMICRON}": "o",
    "\N{GREEK SMALL LETTER NU}": "v",
}
"""What looks alike, and what it is taken for: names are compared after all of it is replaced."""

_SHAPE = re.compile("|".join(map(re.escape, sorted(_SHAPES, key=len, reverse=True))))


class Likeness(enum.Enum):
    """How two names are alike."""

    SEPARATORS = "differs only in case, dashes, underscores and dots"
    LOOKALIKE = "looks the same"
    TRANSPOSED = "differs only in the order of two letters"
    ONE_LETTER = "differs in one letter"

    @property
    def is_same_to_readers(self) -> bool:
        """Whether readers or tools take the names for one, so that no person needs to judge that."""
        return self is not Likeness.ONE_LETTER


@dataclass(frozen=True, slots=True)
class Confusion:
    """A name of the set that another name is like."""

    name: str
    member: str
    likeness: Likeness

    def __str__(self) -> str:
        return f"{self.name} {self.likeness.value} from {self.member}".replace(
            "looks the same from", "looks the same as"
        )


def likeness(first: str, second: str) -> Likeness | None:
    """Return how two names are alike; `None` if they are not, or are the same name."""
    if first == second:
        return None
    one, other = _bare(first), _bare(second)
    if one == other:
        return Likeness.SEPARATORS
    if _shape(one) == _shape(other):
        return Likeness.LOOKALIKE
    if min(len(one), len(other)) < _SHORTEST:
        return None
    if _is_transposed(one, other):
        return Likeness.TRANSPOSED
    return Likeness.ONE_LETTER if _is_one_letter_away(one, other) else None


def confusions(name: str, members: Iterable[str]) -> tuple[Confusion, ...]:
    """Return the members that ``name`` is like, the most alike first."""
    order = list(Likeness)
    found = [
        Confusion(name, member, how) for member in members if (how := likeness(name, member)) is not None
    ]
    return tuple(sorted(found, key=lambda item: (order.index(item.likeness), item.member)))


def _bare(name: str) -> str:
    """Return a name without case and separators: https://peps.python.org/pep-0503/, and conda's ``_``."""
    return re.sub(r"[-_.\s]+", "", unicodedata.normalize("NFKC", name).casefold())


def _shape(bare: str) -> str:
    return _SHAPE.sub(lambda match: _SHAPES[match[0]], bare)


def _is_transposed(one: str, other: str) -> bool:
    if len(one) != len(other):
        return False
    differing = [index for index, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    if len(differing) != 2 or differing[1] != differing[0] + 1:  # noqa: PLR2004 - two letters that are swapped
        return False
    first, second = differing
    return one[first] == other[second] and one[second] == other[first]


def _is_one_letter_away(one: str, other: str) -> bool:
    """Whether one letter is replaced, added or left out."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    start = next(
        (index for index, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short)
    )
    rest = short[start + (len(short) == len(long)) :]
    return rest == long[start + 1 :]
