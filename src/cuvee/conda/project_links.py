"""Where a project is on the web, as its package says: release notes, documentation, source, issues, home."""

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

from cuvee.conda.printable_text import printable
from cuvee.files import parse_json

LONGEST = 500
"""Characters of the longest address that is kept."""

MOST_LABELS = 100
"""How many labelled addresses of one distribution are looked at."""


class LinkKind(enum.Enum):
    """What an address is about."""

    RELEASE_NOTES = "release notes"
    DOCUMENTATION = "documentation"
    SOURCE = "source"
    ISSUES = "issues"
    HOME = "home"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectLink:
    """One address, ``http`` or ``https``."""

    kind: LinkKind
    url: str


_LABELS: Mapping[str, LinkKind] = {
    **dict.fromkeys(
        ("releasenotes", "changelog", "changes", "whatsnew", "history", "news"), LinkKind.RELEASE_NOTES
    ),
    **dict.fromkeys(("documentation", "docs"), LinkKind.DOCUMENTATION),
    **dict.fromkeys(("source", "repository", "sourcecode", "github", "code"), LinkKind.SOURCE),
    **dict.fromkeys(
        ("issues", "bugs", "issue", "tracker", "issuetracker", "bugtracker", "bugreports"), LinkKind.ISSUES
    ),
    **dict.fromkeys(("homepage", "home"), LinkKind.HOME),
}
"""https://packaging.python.org/en/latest/specifications/well-known-project-urls/, and common ones."""

_RECIPE = {"home": LinkKind.HOME, "doc_url": LinkKind.DOCUMENTATION, "dev_url": LinkKind.SOURCE}
"""https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html#about-section"""


def links_of_metadata(message: Message) -> tuple[ProjectLink, ...]:
    """Return the addresses in the core metadata of a Python distribution, the first of each kind."""
    found = [(LinkKind.HOME, str(message.get("Home-page", "")))]
    for value in message.get_all("Project-URL", [])[:MOST_LABELS]:
        label, _, url = str(value).partition(",")
        kind = _LABELS.get(re.sub(r"[\W_]", "", label).lower())
        if kind is not None:
            found.append((kind, url))
    return _first_of_each(found)


def links_of_about(data: bytes | None) -> tuple[ProjectLink, ...]:
    """Return the addresses in a package's ``info/about.json``; none if it cannot be read."""
    try:
        about = parse_json(data or b"{}")
    except ValueError:
        return ()
    if not isinstance(about, dict):
        return ()
    return _first_of_each((kind, url) for key, kind in _RECIPE.items() for url in _texts(about.get(key)))


def merged(*sources: Iterable[ProjectLink]) -> tuple[ProjectLink, ...]:
    """Return the links of several sources: of each kind the first, in the order of the kinds."""
    return _first_of_each((link.kind, link.url) for links in sources for link in links)


def _texts(value: object) -> Iterator[str]:
    """Yield a text, or the texts of a list: recipes have both."""
    for item in value[:MOST_LABELS] if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item


def _first_of_each(found: Iterable[tuple[LinkKind, str]]) -> tuple[ProjectLink, ...]:
    first: dict[LinkKind, str] = {}
    for kind, text in found:
        url = text.strip()
        if kind not in first and _is_web(url):
            first[kind] = url
    return tuple(ProjectLink(kind=kind, url=first[kind]) for kind in LinkKind if kind in first)


def _is_web(url: str) -> bool:
    """Whether an address is of the web, and has nothing in it that is not allowed in one."""
    if len(url) > LONGEST or not url.isascii() or printable(url) != url or re.search(r"[\s\"<>\\]", url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
    except ValueError:
        return False
