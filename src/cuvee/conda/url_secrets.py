"""URLs of channels and archives without the passwords and tokens that they may carry."""

from urllib.parse import urlsplit, urlunsplit


def without_secrets(url: str) -> str:
    """Return a URL with its user and password, or its conda token (``/t/<token>/``), masked."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        parts = parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2])
    segments = parts.path.split("/")
    if "t" in segments[:-1] and parts.scheme != "file":
        segments[segments.index("t") + 1] = "***"
    return urlunsplit(parts._replace(path="/".join(segments)))


def without_secrets_in(text: str) -> str:
    """Return a text with the secrets of each of its URLs masked."""
    return " ".join(without_secrets(word) if "://" in word else word for word in text.split(" "))
