"""Licences as SPDX expressions, https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/."""

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from license_expression import LicenseExpression, Licensing

_OPERATORS = re.compile(r"(\s+(?:or|and)\s+|\s*[()]\s*)", re.IGNORECASE)
_R_FILE = re.compile(r"\s*[+|]\s*file LICEN[SC]E\b", re.IGNORECASE)
_OWN = ("LicenseRef-", "DocumentRef-")
_MOST_CHARACTERS = 2000


@lru_cache(maxsize=4096)
def read_license(text: str) -> "LicenseExpression | None":
    """Return what a package states as its licence, or `None` if that is neither SPDX nor a known spelling.

    Understands R's form, https://cran.r-project.org/doc/manuals/r-release/R-exts.html#Licensing:
    ``GPL-2 | GPL-3 + file LICENSE``, where the file only adds terms to a licence that is named.
    """
    from license_expression import ExpressionError, ExpressionParseError

    if len(text) > _MOST_CHARACTERS:
        return None
    plain = " ".join(_R_FILE.sub("", text).replace("|", " OR ").split())
    known = spelled(plain)
    if known is None:
        parts = _OPERATORS.split(plain)
        known = "".join(spelled(part) or part for part in parts)
    try:
        expression = licensing().parse(known, validate=False)
    except (ExpressionError, ExpressionParseError, RecursionError):
        return None
    if expression is None or not all(_is_known(symbol) for symbol in _symbols(expression)):
        return None
    return expression


def is_expression(text: str) -> bool:
    """Return whether a text is an SPDX expression as it stands, of licences in SPDX's list only."""
    try:
        return not licensing().validate(text).errors
    except Exception:  # noqa: BLE001 - the library fails in many ways on characters that it does not expect
        return False


def _is_known(symbol: object) -> bool:
    key = str(getattr(symbol, "key", ""))
    return key in licensing().known_symbols or key.startswith(_OWN)


def _symbols(expression: "LicenseExpression") -> list[object]:
    found: list[object] = []
    for symbol in expression.symbols:
        parts = (getattr(symbol, "license_symbol", symbol), getattr(symbol, "exception_symbol", None))
        found += [part for part in parts if part is not None]
    return found


def spelled(text: str) -> str | None:
    """Return the SPDX expression that a common spelling such as ``BSD 3-Clause`` means beyond doubt."""
    return _data()["spellings"].get(text.strip().lower())


def from_classifier(leaf: str) -> str | None:
    """Return the SPDX expression of the last part of a trove classifier.

    https://packaging.python.org/en/latest/specifications/core-metadata/#classifier
    """
    return _data()["classifiers"].get(leaf)


@lru_cache(maxsize=1)
def _data() -> dict[str, dict[str, str]]:
    text = files("cuvee").joinpath("license_spellings.json").read_text(encoding="utf-8")
    return {key: value for key, value in json.loads(text).items() if key != "comment"}


@lru_cache(maxsize=1)
def licensing() -> "Licensing":
    """Return the licences and exceptions that SPDX knows, with the algebra of expressions."""
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()
