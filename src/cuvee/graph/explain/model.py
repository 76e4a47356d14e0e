"""What is said of a set that has no solution: its parts, the conflict, and what would edits_for it."""

import enum
from dataclasses import dataclass

from cuvee.manifest.model import Position


class ConstraintKind(enum.Enum):
    """What a part of the manifest asks of a solution."""

    REQUIREMENT = "requirement"
    CONSTRAINT = "constraint"
    FLOOR = "floor"
    DATE = "exclude-newer"
    ORDER = "channel order"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftConstraint:
    """One thing that the manifest asks for, and could ask for in another way.

    Attributes
    ----------
    name
        The package, the floor's key, or the manifest's key.
    spec
        The match spec that stands for it in a solver.
    needed
        Whether something must be installed that meets `spec`; else nothing may be that does not.
    text
        As people know it: ``numpy >=2``.
    platforms
        Where it holds.
    position
        Its line in the manifest; `None` for what no line states.
    """

    kind: ConstraintKind
    name: str
    spec: str
    needed: bool
    text: str
    platforms: tuple[str, ...] = ()
    position: Position | None = None

    @property
    def is_any(self) -> bool:
        """Whether every version will do."""
        return self.spec.endswith(" *")

    def __str__(self) -> str:
        return self.text if self.position is None else f"{self.text} ({self.position})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictNode:
    """A line of the tree that shows how a part of the manifest leads to the conflict."""

    text: str
    children: tuple["ConflictNode", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mus:
    """Parts of the manifest that can not hold at once, though they can without any one of them.

    Attributes
    ----------
    platforms
        Where.
    sentence
        What conflicts, in one sentence.
    tree
        Why each part leads there, one node per part.
    cause
        What conflicts with what in the channels; subsets with the same cause have the same one.
    """

    members: tuple[SoftConstraint, ...]
    platforms: tuple[str, ...]
    sentence: str
    tree: tuple[ConflictNode, ...]
    cause: str


class EditAction(enum.Enum):
    """What an edit does to a line of the manifest."""

    CHANGE = "change"
    DROP = "drop"
    ADD = "add"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One line of the manifest, changed.

    Attributes
    ----------
    before, after
        The value as it stands and as it would be; `None` where there is none.
    brings
        What a solution then has: ``numpy 1.26.4``.
    lost
        How many versions older that is than what was asked for.
    """

    action: EditAction
    member: SoftConstraint
    before: str | None
    after: str | None
    brings: str = ""
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Edits that together take away a conflict; that they do was seen by solving."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Cores that share parts, so that one set of edits can edits_for them all.

    Attributes
    ----------
    suggestions
        Verified, the best first: fewest lines, then what is changed before what is dropped, then the least
        loss of versions.
    """

    subsets: tuple[Mus, ...]
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictExplanation:
    """Why there is no solution.

    Attributes
    ----------
    conflicts
        Independent of each other; each must be mended.
    complete
        Whether all conflicts are there; if not, more may show when these are mended.
    """

    platforms: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    complete: bool
