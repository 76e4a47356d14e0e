"""Why a manifest has no solution: soft constraints, minimal subsets of them, and edits that help."""

import enum
from dataclasses import dataclass

from cuvee.manifest.model import Position


class ConstraintKind(enum.Enum):
    """The part of a manifest that a soft constraint is."""

    REQUIREMENT = "requirement"
    CONSTRAINT = "constraint"
    FLOOR = "floor"
    DATE = "exclude-newer"
    ORDER = "channel order"

    @property
    def is_line(self) -> bool:
        """Whether it is about a package: a requirement or a constraint."""
        return self in {ConstraintKind.REQUIREMENT, ConstraintKind.CONSTRAINT}


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftConstraint:
    """One value of the manifest, which a solution may have to give up or change.

    Attributes
    ----------
    name
        The package, the floor's key, or the manifest's key.
    spec
        The match spec that stands for it in a solver.
    needed
        Whether a record that meets `spec` must be installed; else records that do not meet it are excluded.
    text
        As users write it: ``numpy >=2``.
    position
        Its line in the manifest; `None` if the manifest does not state it.
    reason
        Why cuvee adds it; empty for what the manifest states.
    """

    kind: ConstraintKind
    name: str
    spec: str
    needed: bool
    text: str
    platforms: tuple[str, ...] = ()
    position: Position | None = None
    reason: str = ""

    @property
    def is_any(self) -> bool:
        """Whether every version meets it."""
        return self.spec.endswith(" *")

    @property
    def value(self) -> str | None:
        """The value in the manifest, without the name; `None` for a floor that it does not state."""
        if self.kind is ConstraintKind.FLOOR:
            if not self.needed:
                return None
            _, version, build = self.spec.split()
            return build if self.name == "archspec" else version.removeprefix("==")
        return (self.spec if self.kind.is_line else self.text).partition(" ")[2] or "*"

    def __str__(self) -> str:
        return self.text if self.position is None else f"{self.text} ({self.position})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictNode:
    """A line of the tree that shows how a soft constraint leads to the conflict."""

    text: str
    children: tuple["ConflictNode", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mus:
    """A minimal unsatisfiable subset of the soft constraints: without any one of its members, the rest holds.

    Attributes
    ----------
    tree
        How each member leads to the conflict, one node per member.
    cause
        What in the channels is in conflict; subsets with the same cause have the same text.
    """

    members: tuple[SoftConstraint, ...]
    platforms: tuple[str, ...]
    sentence: str
    tree: tuple[ConflictNode, ...]
    cause: str


class EditAction(enum.Enum):
    """What an edit does to a line of the manifest.

    A package is renamed, restricted to some platforms, or imported from the Python index. Whether the index
    has it is not known: that is the only edit that is not verified.
    """

    CHANGE = "change"
    DROP = "drop"
    ADD = "add"
    RENAME = "rename"
    RESTRICT = "restrict"
    IMPORT = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One line of the manifest, changed.

    Attributes
    ----------
    before, after
        The value now and after the edit; `None` if there is none.
    brings
        What a solution then has: ``numpy 1.26.4``.
    lost
        By how many versions that is older than what the manifest requests.
    """

    action: EditAction
    member: SoftConstraint
    before: str | None
    after: str | None
    brings: str = ""
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Edits that together resolve a conflict; verified by solving.

    Attributes
    ----------
    members
        The soft constraints in place of those that it changes; none for those it drops.
    """

    edits: tuple[Edit, ...]
    members: tuple[SoftConstraint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Minimal unsatisfiable subsets that share members, so that one suggestion can resolve all of them.

    Attributes
    ----------
    suggestions
        The best first: fewest lines, then changes before drops, then the fewest versions lost.
    """

    subsets: tuple[Mus, ...]
    suggestions: tuple[Suggestion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictExplanation:
    """Why there is no solution.

    Attributes
    ----------
    conflicts
        Independent of each other; each must be resolved.
    complete
        Whether these are all conflicts; if not, more may appear once these are resolved.
    """

    platforms: tuple[str, ...]
    conflicts: tuple[Conflict, ...]
    complete: bool
