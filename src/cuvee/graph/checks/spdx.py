"""Licence texts as SPDX expressions, and whether a policy permits one."""

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from cuvee.manifest.model import LicensePolicy

if TYPE_CHECKING:
    from license_expression import LicenseExpression, Licensing

_OPERATORS = re.compile(r"(\s+(?:or|and)\s+|\s*[()]\s*)", re.IGNORECASE)
_R_FILE = re.compile(r"\s*[+|]\s*file LICEN[SC]E\b", re.IGNORECASE)
_OWN = ("LicenseRef-", "DocumentRef-")
_MOST_CHARACTERS = 2000

_VERSIONS = {
    "AGPL": ("1.0", "3.0"),
    "GFDL": ("1.1", "1.2", "1.3"),
    "GPL": ("1.0", "2.0", "3.0"),
    "LGPL": ("2.0", "2.1", "3.0"),
}
"""The versions of licences that packages take ``or-later``, oldest first: https://spdx.org/licenses/."""


@lru_cache(maxsize=4096)
def read_license(text: str) -> "LicenseExpression | None":
    """Read what a package says of its licence; `None` if that is no SPDX expression and no known spelling.

    R's way, ``GPL-2 | GPL-3 + file LICENSE``, is understood; the file adds terms to a licence that is named.
    """
    from license_expression import ExpressionError, ExpressionParseError

    if len(text) > _MOST_CHARACTERS:
        return None
    plain = " ".join(_R_FILE.sub("", text).replace("|", " OR ").split())
    known = _known(plain)
    if known is None:
        parts = _OPERATORS.split(plain)
        known = "".join(_known(part) or part for part in parts)
    try:
        expression = _licensing().parse(known, validate=False)
    except (ExpressionError, ExpressionParseError, RecursionError):
        return None
    if expression is None or not all(_is_known(symbol) for symbol in _symbols(expression)):
        return None
    return expression


def permits(policy: LicensePolicy, expression: "LicenseExpression") -> bool:
    """Whether a policy permits a licence.

    Of alternatives one must be permitted, of what holds together all. ``or-later`` is a choice among that
    version and the later ones. A licence with an exception is permitted if the exception is allowed by name,
    or the licence by itself is.
    """
    algebra = _licensing()
    if isinstance(expression, algebra.OR):
        return any(permits(policy, part) for part in expression.args)
    if isinstance(expression, algebra.AND):
        return all(permits(policy, part) for part in expression.args)
    if hasattr(expression, "exception_symbol"):
        exception = expression.exception_symbol.key
        return exception not in policy.deny and (
            exception in policy.allow or permits(policy, expression.license_symbol)
        )
    return _permits_one(policy, str(expression.key))


def _permits_one(policy: LicensePolicy, identifier: str) -> bool:
    if identifier in policy.deny:
        return False
    if not policy.allow and not policy.deny:
        return True
    choices = _choices(identifier)
    if choices:
        return identifier in policy.allow or any(_permits_one(policy, choice) for choice in choices)
    return not policy.allow or identifier in policy.allow


def _choices(identifier: str) -> list[str]:
    """Give the licences among which ``or-later`` leaves the choice; none for others."""
    family, _, rest = identifier.partition("-")
    version, _, suffix = rest.partition("-")
    versions = _VERSIONS.get(family, ())
    if suffix != "or-later" or version not in versions:
        return []
    return [f"{family}-{later}-only" for later in versions[versions.index(version) :]]


def _is_known(symbol: object) -> bool:
    key = str(getattr(symbol, "key", ""))
    return key in _licensing().known_symbols or key.startswith(_OWN)


def _symbols(expression: "LicenseExpression") -> list[object]:
    found: list[object] = []
    for symbol in expression.symbols:
        parts = (getattr(symbol, "license_symbol", symbol), getattr(symbol, "exception_symbol", None))
        found += [part for part in parts if part is not None]
    return found


def _known(text: str) -> str | None:
    return _spellings().get(text.strip().lower())


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    data = json.loads(files("cuvee.graph.checks").joinpath("spellings.json").read_text(encoding="utf-8"))
    return {str(key): str(value) for key, value in data["spellings"].items()}


@lru_cache(maxsize=1)
def _licensing() -> "Licensing":
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()
