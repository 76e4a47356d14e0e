"""URLs of channels and archives without what they may carry to authenticate: one definition for all uses.

What is recorded (locks, bills of materials, prefixes) has clean URLs; what is shown has masked ones.
"""

import re
from urllib.parse import SplitResult, unquote, urlsplit

_MASK = "***"
_URL = re.compile(r"""\b[A-Za-z][A-Za-z0-9+.-]*://[^\s"'`<>]+""")


def secret_in(url: str) -> str:
    """Return what a URL carries besides its place, such as "a query"; empty for a clean one.

    A user is one, even without a password: it may be a token. So is a query, and conda's ``/t/<token>/``.
    """
    parts = _split(url)
    if parts is None or parts.scheme == "file":
        return ""
    found = {
        "a user or a password": "@" in parts.netloc,
        "a token": bool(_tokens(parts)),
        "a query": bool(parts.query),
        "a fragment": bool(parts.fragment),
    }
    return next((name for name, is_there in found.items() if is_there), "")


def clean_url(url: str) -> str:
    """Return a URL without user, password, token, query and fragment; a name or a folder as it is."""
    parts = _split(url)
    if parts is None or not secret_in(url):
        return url
    tokens = _tokens(parts)
    path = [segment for place, segment in enumerate(parts.path.split("/")) if place not in tokens]
    clean = parts._replace(netloc=parts.netloc.rpartition("@")[2], path="/".join(path), query="", fragment="")
    return clean.geturl()


def without_secrets(url: str) -> str:
    """Return a URL with what it carries masked, to be shown; a fragment, such as a hash, is kept."""
    parts = _split(url)
    if parts is None or not secret_in(url):
        return url
    path = parts.path.split("/")
    for place in _tokens(parts)[1::2]:
        path[place] = _MASK
    user, at, host = parts.netloc.rpartition("@")
    shown = parts._replace(
        netloc=f"{_MASK if user else ''}{at}{host}",
        path="/".join(path),
        query=_MASK if parts.query else "",
    )
    return shown.geturl()


def without_secrets_in(text: str) -> str:
    """Return a text with the secrets of each of its URLs masked."""
    return _URL.sub(lambda match: without_secrets(match[0]), text)


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL; `None` for a name or a folder."""
    if "://" not in url:
        return None
    try:
        return urlsplit(url)
    except ValueError:  # such as a bracket in the host
        return SplitResult("https", "-@invalid", "", "", "")  # what it carries is not known


def _tokens(parts: SplitResult) -> list[int]:
    """Return the places of ``t`` and of the token behind it, in pairs, among the segments of the path."""
    path = [unquote(segment) for segment in parts.path.split("/")]
    found: list[int] = []
    for place, segment in enumerate(path[:-1]):
        if segment == "t" and place not in found and path[place + 1]:
            found += [place, place + 1]
    return found
