"""From a text to a value: each function gives the value, normalised, or raises `Mistake`."""

import datetime as dt
import re
from typing import NamedTuple
from urllib.parse import urlsplit

from cuvee.manifest.kinds import Mistake
from cuvee.manifest.model import ReleaseVersion

PACKAGE_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$"
WHEEL_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._\-]*[A-Za-z0-9])?(\[[A-Za-z0-9._\-, ]*\])?$"
RANGE = r"^(\*|[^\s]*[0-9][^\s]*)$"
LABEL = r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
INSTANT = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+\-][0-9]{2}:[0-9]{2}))?$"
)
DAYS = r"^[0-9]{1,5}$"
SYSTEM_VERSION = r"^[0-9]+(\.[0-9]+)*$"
DISTRIBUTION_NAME = r"^[a-z0-9][a-z0-9\-]*$"
CHANNEL = r"^((https?|file)://[^\s]+|[./][^\r\n]*|[A-Za-z]:[\\/][^\r\n]*|[^\s:\"<>|*?\[\]{},;]+)$"
FOLDER = r"^(?!(.*/)?\.\.(/|$))[^\\\r\n]*[^\\\s][^\\\r\n]*$"
URL = r"^https?://[^\s]+$"


class WheelName(NamedTuple):
    """A project of the Python index, PEP 503 normalised, and extras of it."""

    name: str
    extras: tuple[str, ...]


def matching(pattern: str, text: str) -> bool:
    """Whether ``text`` has the form that the JSON Schema also asks for; ``$`` is the very end."""
    return re.fullmatch(pattern.removeprefix("^").removesuffix("$"), text, flags=re.ASCII) is not None


def prose(text: str) -> str:
    """Words for people."""
    if not text.strip():
        raise Mistake("it is empty")
    return text.strip()


def label(text: str) -> str:
    """Check a name that is free to choose."""
    if not matching(LABEL, text):
        raise Mistake("letters, digits, `_`, `-` and `.` only")
    return text


def distribution_name(text: str) -> str:
    """Check a distribution's name, which is also a folder's."""
    if not matching(DISTRIBUTION_NAME, text):
        advice = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
        raise Mistake(
            "lower-case letters, digits and `-` only", advice=f'did you mean "{advice}"?' if advice else ""
        )
    return text


def release_version(text: str) -> ReleaseVersion:
    """``YEAR.MONTH.PATCH``."""
    try:
        return ReleaseVersion.parse(text)
    except ValueError:
        near = re.fullmatch(r"v?(\d{4})\D(\d{1,2})(?:\D(\d{1,4}))?", text, flags=re.ASCII)
        if near is None:
            raise Mistake from None
        likely = f"{near[1]}.{int(near[2])}.{int(near[3] or 0)}"
        raise Mistake(advice=f'did you mean "{likely}"?' if int(near[2]) in range(1, 13) else "") from None


def package_name(text: str) -> str:
    """Check a conda package name, and lower-case it."""
    name = text.lower()
    if name.startswith("__"):
        raise Mistake("a virtual package is stated by a platform's floor")
    if not matching(PACKAGE_NAME, name):
        split = re.fullmatch(r"([A-Za-z0-9_][\w.\-]*?)\s*([=<>!~].*)", text, flags=re.ASCII)
        if split:
            raise Mistake("a name only", advice=f'write {split[1]}: "{split[2].strip()}"')
        raise Mistake("letters, digits, `_`, `-` and `.` only")
    return name


def wheel_name(text: str) -> WheelName:
    """Read a project's name with extras: ``dask[array]``."""
    if not matching(WHEEL_NAME, text):
        split = re.match(r"[A-Za-z0-9][\w.\-]*(\[[^\]]*\])?(?=\s*[=<>!~;@ ])", text, flags=re.ASCII)
        if split:
            raise Mistake("a name only", advice=f"write {split[0].lower()} here, its version below packages")
        raise Mistake
    name, _, rest = text.rstrip("]").partition("[")
    extras = (_normalised(extra.strip()) for extra in rest.split(","))
    return WheelName(_normalised(name), tuple(dict.fromkeys(extra for extra in extras if extra)))


def version_range(text: str) -> str:
    """Check a conda version spec that something can satisfy."""
    from cuvee.manifest.ranges import parse_range

    return parse_range(text)


def build_spec(text: str) -> str:
    """Check a build string, which may hold ``*``."""
    if not matching(r"[A-Za-z0-9_.+*]+", text):
        raise Mistake("letters, digits, `_`, `.`, `+` and `*` only")
    return text


def system_version(text: str) -> str:
    """Check the version of an operating system, or of its C library."""
    if not matching(SYSTEM_VERSION, text):
        raise Mistake("numbers and dots only")
    return text


def days(text: str) -> int:
    """Check a number of days."""
    if not matching(DAYS, text):
        raise Mistake("digits only, up to five")
    return int(text)


def channel(text: str) -> str:
    """Check a channel's name, URL or folder."""
    if "://" in text:
        try:
            parts = urlsplit(text)
        except ValueError:
            raise Mistake("the URL can not be read") from None
        if parts.password or "/t/" in parts.path:
            raise Mistake(
                "it carries a secret", advice="keep passwords and tokens in netrc, not in a manifest"
            )
        if parts.scheme not in {"http", "https", "file"}:
            raise Mistake("a URL begins with https://, http:// or file://")
    if not matching(CHANNEL, text):
        raise Mistake
    return text


def date(text: str) -> dt.date:
    """``YEAR-MONTH-DAY``."""
    if not matching(DATE, text):
        raise Mistake(advice="write YEAR-MONTH-DAY")
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Mistake("the calendar has no such day") from None


def instant(text: str) -> dt.datetime:
    """Read an RFC 3339 instant, or a date, which means the end of that day; UTC."""
    if not matching(INSTANT, text):
        if matching(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?", text):
            raise Mistake("it has no time zone or no seconds", advice="write it like 2026-11-01T12:00:00Z")
        raise Mistake
    try:
        if len(text) == len("2026-11-01"):
            midnight = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
            return midnight + dt.timedelta(days=1)
        return dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Mistake("the calendar has no such instant") from None


def url(text: str) -> str:
    """Check a web address."""
    if not matching(URL, text):
        raise Mistake("it begins with https://")
    return text


def spdx(text: str) -> str:
    """Check an SPDX licence identifier in its usual case."""
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    if not matching(r"[A-Za-z0-9.+\-]+", text):
        raise Mistake("one identifier, not an expression")
    try:
        return canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        raise Mistake(
            "SPDX knows no such licence", advice="see spdx.org/licenses, or use LicenseRef-…"
        ) from None


def relative_folder(text: str) -> str:
    """Check a folder, looked up from the manifest's folder upwards; an absolute one is taken as it is."""
    if ".." in text.split("/"):
        raise Mistake("it may not lead out with ..")
    if not matching(FOLDER, text):
        raise Mistake("write it with /")
    return text


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
