"""The page as JSON: ``data.json`` says the same as ``index.html``."""

from cuvee.codec import Json, encode
from cuvee.files import canonical_json
from cuvee.report.badges import Badge
from cuvee.report.logs import clean
from cuvee.report.page import Page

_ONLY_ON_THE_PAGE = frozenset({"anchors"})
"""Fields that only links within the page need."""


def page_json(page: Page) -> bytes:
    """Return everything on the page as a JSON document; a status is its word.

    The member ``report`` is the version of the form. Control characters are dropped, as on the page.
    """
    return canonical_json(_cleaned(encode(page, without=_ONLY_ON_THE_PAGE, texts=(Badge,))))


def _cleaned(value: Json) -> Json:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    return value
