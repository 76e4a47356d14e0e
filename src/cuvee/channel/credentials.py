"""Users, passwords and tokens of hosts, where uv's variables and rattler's file have them.

requests itself reads ``~/.netrc`` and ``NETRC``. rattler's file maps hosts, also ``*.example.org``, to one of
three kinds: https://rattler-build.prefix.dev/latest/authentication_and_upload/
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from cuvee.errors import UsageError
from cuvee.files import parse_json

_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_INDEX_URL")
_FILE_VARIABLE = "RATTLER_AUTH_FILE"
_USUAL_FILE = Path(".rattler", "credentials.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """How a host knows who asks: by user and password, by a bearer token, or by one in the path."""

    user: str = ""
    password: str = ""
    bearer: str = ""
    path_token: str = ""

    def address(self, url: str) -> str:
        """Return the URL to request: with a path token, ``https://host/t/<token>/channel``."""
        if not self.path_token:
            return url
        parts = urlsplit(url)
        return parts._replace(path=f"/t/{quote(self.path_token, safe='')}{parts.path}").geturl()


class Credentials:
    """The credentials of an environment, by host."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._known = _of_file(environment) | _of_indexes(environment)

    def used_by(self, url: str) -> tuple[str, Credential | None]:
        """Return the URL to request, and the credential to send: the URL's own, else that of its host."""
        parts = urlsplit(url)
        if parts.username is not None:  # requests would not send one without a password
            own = Credential(user=unquote(parts.username), password=unquote(parts.password or ""))
            return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), own
        credential = self.of(url)
        return (url if credential is None else credential.address(url)), credential

    def of(self, url: str) -> Credential | None:
        """Return the credential of a URL's host; one for ``*.example.org`` counts for what is below it."""
        host = urlsplit(url).netloc.rpartition("@")[2].lower()
        name, _, _ = host.partition(":")
        parents = name.split(".")
        wider = ("*." + ".".join(parents[place:]) for place in range(1, len(parents)))
        return next((self._known[key] for key in (host, name, *wider) if key in self._known), None)


def _of_indexes(environment: Mapping[str, str]) -> dict[str, Credential]:
    found = {}
    for variable in _INDEX_VARIABLES:
        for url in environment.get(variable, "").split():
            parts = urlsplit(url.partition("=")[2] if "=" in url.partition("://")[0] else url)
            if parts.username is not None:
                host = parts.netloc.rpartition("@")[2].lower()
                found[host] = Credential(user=unquote(parts.username), password=unquote(parts.password or ""))
    return found


def _of_file(environment: Mapping[str, str]) -> dict[str, Credential]:
    named = environment.get(_FILE_VARIABLE)
    path = Path(named) if named else Path(environment.get("HOME") or "/", _USUAL_FILE)
    try:
        entries = parse_json(path.read_bytes())
        return {
            str(host).lower(): found
            for host, entry in entries.items()
            if (found := _credential(entry)) is not None
        }
    except OSError as error:
        if not named:
            return {}
        problem = error.strerror
    except (ValueError, KeyError, AttributeError, TypeError):
        problem = "it is not a JSON object of hosts"  # the error would quote it
    raise UsageError(
        f"The credentials in {path} cannot be read: {problem}", hint=f"Correct it, or unset {_FILE_VARIABLE}."
    )


def _credential(entry: Any) -> Credential | None:
    """Return an entry of rattler's file; `None` for a kind that is not of HTTP, such as S3's."""
    (kind, value), *_ = entry.items()
    if kind == "BasicHTTP":
        return Credential(user=str(value["username"]), password=str(value["password"]))
    if kind == "BearerToken":
        return Credential(bearer=str(value))
    return Credential(path_token=str(value)) if kind == "CondaToken" else None
