"""What packages state as their licence, as bills of materials have it."""

from dataclasses import dataclass
from functools import lru_cache

from cuvee.spdx import licensing, read_license

_OWN, _OTHER_DOCUMENT = "LicenseRef-", "DocumentRef-"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedLicense:
    """A licence.

    Attributes
    ----------
    text
        As the package states it.
    expression
        As an SPDX expression; empty if it is none.
    references
        The licences in the expression that SPDX does not list.
    is_listed
        Whether the expression is one licence of SPDX's list.
    """

    text: str
    expression: str = ""
    references: tuple[str, ...] = ()
    is_listed: bool = False


@lru_cache(maxsize=4096)
def stated_license(text: str | None) -> StatedLicense | None:
    """Return what a package states; `None` if it states nothing."""
    text = " ".join((text or "").split())
    if not text:
        return None
    expression = read_license(text)
    if expression is None:
        return StatedLicense(text=text)
    names = sorted({str(name) for name in licensing().license_keys(expression)})
    rendered = expression.render()
    if _OTHER_DOCUMENT in rendered:  # nothing says where that document is
        return StatedLicense(text=text)
    references = tuple(name for name in names if name.startswith(_OWN))
    return StatedLicense(
        text=text,
        expression=rendered,
        references=references,
        is_listed=[rendered] == names and not references,
    )
