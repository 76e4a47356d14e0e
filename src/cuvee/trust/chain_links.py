"""The links of a chain of trust, from the root to what is verified, and the verdict on them."""

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cuvee.errors import CuveeError


class LinkState(enum.Enum):
    """What became of a link."""

    HOLDS = "holds"
    BROKEN = "broken"
    OPEN = "not checked"
    NONE = "not covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """A link of the chain.

    Attributes
    ----------
    depth
        How many links it hangs on.
    text
        What was checked; of a link that does not hold, what is wrong.
    hint
        What to do next; may be empty.
    signers
        Who has signed it, each with the organisation, if that is known.
    """

    name: str
    depth: int
    state: LinkState
    text: str = ""
    hint: str = ""
    signers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainVerdict:
    """What verifying has found.

    Attributes
    ----------
    kind
        What was verified: ``bundle``, ``site``, ``release``, ``installer`` or ``prefix``.
    subject
        Its path.
    links
        In their order; a link after one that does not hold was not walked.
    """

    kind: str
    subject: str
    links: tuple[ChainLink, ...]

    @property
    def state(self) -> LinkState:
        """Whether all that was to be checked holds."""
        states = {link.state for link in self.links}
        worst = (state for state in (LinkState.BROKEN, LinkState.OPEN) if state in states)
        return next(worst, LinkState.HOLDS)

    @property
    def first(self) -> ChainLink | None:
        """The first link that does not hold, or else the first that could not be checked."""
        return (
            next((link for link in self.links if link.state is self.state), None) if self.problems else None
        )

    @property
    def problems(self) -> tuple[ChainLink, ...]:
        """The links that do not hold, or could not be checked."""
        return tuple(link for link in self.links if link.state in {LinkState.BROKEN, LinkState.OPEN})

    @property
    def uncovered(self) -> tuple[ChainLink, ...]:
        """The links of which there was nothing to check, since nothing was promised."""
        return tuple(link for link in self.links if link.state is LinkState.NONE)


class ChainBrokenError(Exception):
    """A link does not hold, so those that hang on it cannot be walked; it is noted in the walk."""


@dataclass(slots=True)
class Note:
    """What is said of a link that holds."""

    text: str = ""
    signers: tuple[str, ...] = ()
    state: LinkState = LinkState.HOLDS
    hint: str = ""


@dataclass(slots=True)
class ChainWalk:
    """The links that were walked until now."""

    links: list[ChainLink] = field(default_factory=list)

    @contextmanager
    def link(self, name: str, depth: int) -> Iterator[Note]:
        """Walk a link: it does not hold if the block raises an error of cuvee.

        Raises
        ------
        ChainBrokenError
            If so.
        """
        note = Note()
        try:
            yield note
        except CuveeError as error:
            self._add(name, depth, Note(error.message, (), LinkState.BROKEN, error.hint or ""))
            raise ChainBrokenError from error
        self._add(name, depth, note)

    def open(self, name: str, depth: int, text: str, hint: str = "") -> None:
        """Note a link that cannot be checked."""
        self._add(name, depth, Note(text, (), LinkState.OPEN, hint))

    def uncovered(self, name: str, depth: int, text: str) -> None:
        """Note that there is nothing to check."""
        self._add(name, depth, Note(text, (), LinkState.NONE))

    def _add(self, name: str, depth: int, note: Note) -> None:
        self.links.append(
            ChainLink(
                name=name,
                depth=depth,
                state=note.state,
                text=note.text,
                hint=note.hint,
                signers=note.signers,
            )
        )
