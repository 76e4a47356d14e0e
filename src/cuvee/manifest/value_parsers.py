"""Parsers of single values: each function returns the value, normalised, or raises `ParseError`."""

import datetime as dt
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from cuvee.approvals.person_key import PublicKeyText
from cuvee.conda.url_secrets import secret_in
from cuvee.manifest.documents.schema_types import ParseError, matches
from cuvee.manifest.documents.suggestions import did_you_mean, quote
from cuvee.manifest.known_checks import CHECKS
from cuvee.manifest.model import ReleaseVersion

PACKAGE_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$"
WHEEL_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._\-]*[A-Za-z0-9])?(\[[A-Za-z0-9._\-, ]*\])?$"
RANGE = r"^(\*|[^\s]*[0-9][^\s]*)$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+\-][0-9]{2}:[0-9]{2}))?$"
)
DISTRIBUTION_NAME = r"^[a-z0-9][a-z0-9\-]*$"
CHANNEL = r"^((https?|file)://[^\s]+|[./][^\r\n]*|[A-Za-z]:[\\/][^\r\n]*|[^\s:\"<>|*?\[\]{},;]+)$"
RELEASE = "{release}"
CHANNEL_URL = r"^https?://([^\s{}?#]|\{release\})+$"
FOLDER = r"^(?!(.*/)?\.\.(/|$))[^\\\r\n]*[^\\\s][^\\\r\n]*$"
MODULE = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
CHECK = rf"^({'|'.join(CHECKS)})$"
CHECK_OR_TEST = rf"^({'|'.join(CHECKS)}|[^/]+/.*[^\s].*)$"

PUBLIC_KEY = r"^[A-Za-z0-9+/\s]{50,200}={0,2}$"


class IndexProject(NamedTuple):
    """A project of the Python index and extras of it, normalised: https://peps.python.org/pep-0503/."""

    name: str
    extras: tuple[str, ...]


def prose(text: str) -> str:
    """Return a text for people, without space around it."""
    if not text.strip():
        raise ParseError("it is empty")
    return text.strip()


def public_key(text: str) -> PublicKeyText:
    """Return a public key: SubjectPublicKeyInfo in base64."""
    try:
        return PublicKeyText.parse(text)
    except ValueError as error:
        raise ParseError(str(error), advice="`cuvee keys show FILE` prints it") from error


def distribution_name(text: str) -> str:
    """Return the name of a distribution, which is also that of its folder."""
    if not matches(DISTRIBUTION_NAME, text):
        advice = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        raise ParseError(
            "lower-case letters, digits and `-` only", advice=f'did you mean "{advice}"?' if advice else ""
        )
    return text


def release_version(text: str) -> ReleaseVersion:
    """Return a release number, ``YEAR.MONTH.PATCH``."""
    try:
        return ReleaseVersion.parse(text)
    except ValueError:
        near = re.fullmatch(r"v?(\d{4})\D(\d{1,2})(?:\D(\d{1,4}))?", text, flags=re.ASCII)
        if near is None:
            raise ParseError from None
        likely = f"{near[1]}.{int(near[2])}.{int(near[3] or 0)}"
        raise ParseError(advice=f'did you mean "{likely}"?' if int(near[2]) in range(1, 13) else "") from None


def package_name(text: str) -> str:
    """Return the name of a conda package in lower case: https://conda.org/learn/ceps/cep-0026."""
    name = text.lower()
    if name.startswith("__"):
        raise ParseError("a virtual package is stated by a platform's floor")
    if not matches(PACKAGE_NAME, name):
        split = re.fullmatch(r"([A-Za-z0-9_][\w.\-]*?)\s*([=<>!~].*)", text, flags=re.ASCII)
        if split:
            raise ParseError("a name only", advice=f'write {split[1]}: "{split[2].strip()}"')
        raise ParseError("letters, digits, `_`, `-` and `.` only")
    return name


def wheel_name(text: str) -> IndexProject:
    """Return a project with extras, such as ``dask[array]``."""
    if not matches(WHEEL_NAME, text):
        split = re.match(r"[A-Za-z0-9][\w.\-]*(\[[^\]]*\])?(?=\s*[=<>!~;@ ])", text, flags=re.ASCII)
        if split:
            raise ParseError(
                "a name only", advice=f"write {split[0].lower()} here, its version below packages"
            )
        raise ParseError
    name, _, rest = text.rstrip("]").partition("[")
    extras = (_normalised(extra.strip()) for extra in rest.split(","))
    return IndexProject(_normalised(name), tuple(dict.fromkeys(extra for extra in extras if extra)))


def version_range(text: str) -> str:
    """Return a conda version spec that some version satisfies."""
    from cuvee.manifest.range_validation import parse_range

    return parse_range(text)


def channel(text: str) -> str:
    """Return the name, URL or folder of a channel."""
    if "://" in text:
        try:
            parts = urlsplit(text)
        except ValueError:
            raise ParseError("the URL cannot be read") from None
        if secret := secret_in(text):
            raise ParseError(
                f"it carries {secret}", advice="keep passwords and tokens in netrc, not in a manifest"
            )
        if parts.scheme not in {"http", "https", "file"}:
            raise ParseError("a URL begins with https://, http:// or file://")
    if not matches(CHANNEL, text):
        raise ParseError
    return text


def channel_url(text: str) -> str:
    """Return the URL at which a channel is published, without a slash at its end."""
    if not channel(text).startswith(("https://", "http://")):
        raise ParseError("a published channel begins with https:// or http://")
    if not matches(CHANNEL_URL, text):
        raise ParseError("the URL may have `{release}`, and no other braces, `?` or `#`")
    return text.rstrip("/")


def check_name(text: str) -> str:
    """Return the identifier of a check."""
    if text not in CHECKS:
        advice = did_you_mean(text, CHECKS) or "`cuvee check --list` lists them; a test is suite/test"
        raise ParseError(message=f"there is no check {quote(text)}", advice=advice)
    return text


def check_or_test(text: str) -> str:
    """Return the identifier of a check, or ``suite/test``, which may be a pattern."""
    return text if matches(CHECK_OR_TEST, text) and "/" in text else check_name(text)


def date(text: str) -> dt.date:
    """Return a date, ``YEAR-MONTH-DAY``."""
    if not matches(DATE, text):
        raise ParseError(advice="write YEAR-MONTH-DAY")
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ParseError("the calendar has no such day") from None


def instant(text: str) -> dt.datetime:
    """Return an instant of https://www.rfc-editor.org/rfc/rfc3339 in UTC; a date is the end of that day."""
    if not matches(INSTANT, text):
        if matches(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?", text):
            raise ParseError("it has no time zone or no seconds", advice="write it like 2026-11-01T12:00:00Z")
        raise ParseError
    try:
        if len(text) == len("2026-11-01"):
            midnight = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
            return midnight + dt.timedelta(days=1)
        return dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ParseError("the calendar has no such instant") from None


def spdx(text: str) -> str:
    """Return an identifier of https://spdx.org/licenses/ in its usual case."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if not matches(r"[A-Za-z0-9.+\-]+", text):
        raise ParseError("one identifier, not an expression")
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        raise ParseError(
            "SPDX knows no such licence", advice="see spdx.org/licenses, or use LicenseRef-…"
        ) from None


def relative_path(text: str) -> str:
    """Return a path that does not lead out of its folder with ``..``."""
    if ".." in text.split("/"):
        raise ParseError("it cannot lead out with ..")
    if not matches(FOLDER, text):
        raise ParseError("write it with /")
    return text


def line(text: str) -> str:
    """Return a text of one line."""
    if not text.strip():
        raise ParseError("it is empty")
    if len(text.splitlines()) > 1:
        raise ParseError("it has more than one line")
    return text


def module(text: str) -> str:
    """Return the import name of a module."""
    if not matches(MODULE, text):
        raise ParseError(
            "names joined by `.`",
            advice=f"write {text[:-3].replace('/', '.')}" if text.endswith(".py") else "",
        )
    return text


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
