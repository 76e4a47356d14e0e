"""Rich text and HTML as plain text: our installers show licences and welcome texts without formatting.

The words below are those of Microsoft's Rich Text Format Specification 1.9.1 that produce text.
"""

import codecs
import contextlib
import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser

_TOKEN = re.compile(
    r"\\'(?P<byte>[0-9a-fA-F]{2})|\\(?P<word>[a-zA-Z]+)(?P<number>-?[0-9]{1,9})? ?"
    r"|\\(?P<symbol>[^a-zA-Z])|(?P<brace>[{}])|[\r\n]+|(?P<text>[^\\{}\r\n]+)"
)
_SHOWN = {
    "par": "\n", "line": "\n", "sect": "\n\n", "page": "\n\n", "row": "\n", "cell": "\t", "tab": "\t",
    "emdash": "—", "endash": "\u2013", "bullet": "•", "lquote": "\u2018", "rquote": "\u2019",
    "ldblquote": "“", "rdblquote": "”", "~": " ", "_": "-", "\n": "\n",
    "\r": "\n", "\\": "\\", "{": "{", "}": "}",
}  # fmt: skip
_UNSEEN = {
    "fonttbl", "colortbl", "stylesheet", "info", "pict", "header", "headerl", "headerr", "footer", "footerl",
    "footerr", "object", "fldinst", "listtable", "listoverridetable", "themedata", "generator",
}  # fmt: skip
_UNITS = 0x10000


@dataclass(slots=True, kw_only=True)
class _Group:
    """The state until the next closing brace.

    Attributes
    ----------
    seen
        Whether its text is shown.
    stand_in
        Characters behind each ``\\u`` for readers that do not support it.
    """

    seen: bool = True
    stand_in: int = 1


class _RichText:
    """Collects the text that a rich text shows."""

    def __init__(self) -> None:
        self._groups = [_Group()]
        self._found = bytearray()
        self._page = "cp1252"
        self._skip = 0

    @property
    def shown(self) -> str:
        """The text so far."""
        return self._found.decode("utf-16-le", "replace")

    def take(self, token: re.Match[str]) -> None:
        """Process the next token of the file."""
        if token["brace"] == "{":
            self._groups.append(replace(self._groups[-1]))
        elif token["brace"]:
            self._groups = self._groups[:-1] or [_Group()]
        elif token["byte"]:
            self._show(bytes([int(token["byte"], 16)]).decode(self._page, "replace"))
        elif token["text"]:
            self._show(token["text"])
        elif token["symbol"] == "*":
            self._groups[-1].seen = False
        else:
            self._command(token["word"] or token["symbol"] or "", int(token["number"] or 0))

    def _command(self, word: str, number: int) -> None:
        if word == "u":
            self._skip = 0
            self._show(chr(number % _UNITS))
            self._skip = self._groups[-1].stand_in
        elif word == "uc":
            self._groups[-1].stand_in = max(number, 0)
        elif word == "ansicpg":
            with contextlib.suppress(LookupError):
                self._page = codecs.lookup(f"cp{number}").name
        elif word in _UNSEEN:
            self._groups[-1].seen = False
        else:
            self._show(_SHOWN.get(word, ""))

    def _show(self, text: str) -> None:
        shown, self._skip = text[self._skip :], max(self._skip - len(text), 0)
        if self._groups[-1].seen:
            # Characters beyond 16 bits are surrogate pairs, which UTF-16 joins.
            self._found.extend(shown.encode("utf-16-le", "surrogatepass"))


def from_rtf(text: str) -> str:
    """Return the text of a rich text, a line for each paragraph; other texts are returned unchanged."""
    if not text.startswith("{\\rtf"):
        return text
    found = _RichText()
    for token in _TOKEN.finditer(text.replace("\0", "")):
        found.take(token)
    return _tidy(found.shown)


class _Page(HTMLParser):
    """Collects the text that a browser shows."""

    _BLOCKS = frozenset((
        "address", "article", "blockquote", "body", "br", "dd", "div", "dl", "dt", "footer", "h1", "h2", "h3",
        "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul",
    ))  # fmt: skip
    _UNSEEN = frozenset(("script", "style", "title", "template"))

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._unseen = 0
        self._as_it_is = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        self._unseen += tag in self._UNSEEN
        self._as_it_is += tag == "pre"
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(self._unseen - (tag in self._UNSEEN), 0)
        self._as_it_is = max(self._as_it_is - (tag == "pre"), 0)
        self._break(tag)

    def _break(self, tag: str) -> None:
        if tag in self._BLOCKS:
            self.found.append("\n\n" if tag in {"p", "pre"} or tag[1:].isdigit() else "\n")
        elif tag in {"td", "th"}:
            self.found.append("\t")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.found.append(data if self._as_it_is else re.sub(r"[ \t\r\n]+", " ", data))


def from_html(text: str) -> str:
    """Return the text of an HTML page, without the targets of links."""
    page = _Page()
    page.feed(text)
    page.close()
    return _tidy("".join(page.found))


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
