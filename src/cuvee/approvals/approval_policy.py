"""Who may approve the releases of a distribution, and how many of them must."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cuvee.approvals.person_key import PersonKey
from cuvee.codec import encode
from cuvee.files import canonical_json, sha256_bytes

ROLES = ("release", "security", "qa")
"""What people answer for."""

LEVELS = ("patch", "month", "year")
"""The levels of a release: the first part of the number that differs from the base's, else ``year``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """A person who may approve.

    Attributes
    ----------
    handle
        The key in ``policy.approvals.people``, such as ``ada``.
    roles
        What they answer for, see `ROLES`.
    """

    handle: str
    roles: tuple[str, ...]
    person: PersonKey

    @property
    def title(self) -> str:
        """``Ada Lovelace (acme)``."""
        return f"{self.person.name} ({self.person.organisation})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPolicy:
    """How many people must approve a release, of how many organisations, and with which roles.

    Attributes
    ----------
    count
        How many people.
    organisations
        From how many organisations at least.
    roles
        By level of the release, the roles that somebody who approves must have.
    waivers
        The same for waived checks and tests, and for findings that need approval: by check or ``suite/test``,
        which may be a pattern.
    people
        Sorted by handle.
    """

    count: int
    organisations: int = 1
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waivers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    people: tuple[Approver, ...]

    @property
    def digest(self) -> str:
        """The SHA-256 of the policy as canonical JSON."""
        return sha256_bytes(canonical_json(encode(self)))
