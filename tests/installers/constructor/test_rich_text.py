"""Rich text and HTML become what they show."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.installers.constructor.rich_text import from_html, from_rtf


def written(text: str) -> str:
    """Rich text as word processors write it: everything beyond ASCII in 16-bit units, with a stand-in."""
    found = []
    for character in text:
        if character == "\n":
            found.append("\\par\n")
        elif character in "\\{}":
            found.append(f"\\{character}")
        elif " " <= character <= "~":
            found.append(character)
        else:
            units = codecs.encode(character, "utf-16-le")
            numbers = (int.from_bytes(units[at : at + 2], "little") for at in range(0, len(units), 2))
            found += [f"\\u{number - 65536 if number > 32767 else number}?" for number in numbers]
    return "{\\rtf1\\ansi{\\fonttbl{\\f0 Arial;}}\\f0\\fs24 " + "".join(found) + "}"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], include_characters="\n \\{}"), min_size=1))
def test_what_is_written_is_shown(text: str) -> None:
    lines = [line.rstrip() for line in text.split("\n")]
    expected = "\n".join(lines).strip("\n")
    while "\n\n\n" in expected:
        expected = expected.replace("\n\n\n", "\n\n")
    assert from_rtf(written(text)) == f"{expected}\n"


@pytest.mark.parametrize(
    ("rich", "shown"),
    [
        (r"{\rtf1\ansi\ansicpg1252 K\'e4se\par \'80}", "Käse\n€\n"),
        (r"{\rtf1\ansi\ansicpg1251 \'c4\'e0}", "Да\n"),
        (r"{\rtf1\ansi\ansicpg99999 \'e4}", "ä\n"),
        (r"{\rtf1{\info{\title Secret}}{\*\generator x;}{\stylesheet{\s0 y;}}{\b a}{\i b}}", "ab\n"),
        (r"{\rtf1{\field{\*\fldinst HYPERLINK x}{\fldrslt here}}\tab\bullet\~\emdash}", "here\t• —\n"),
        (r"{\rtf1\uc2\u8364\'a4\'a4{\uc0\u228}\u228 ??x}", "€ääx\n"),
        ("{\\rtf1 a\\\nb}", "a\nb\n"),
        ("{\\rtf1 a}}}b{{{c", "abc\n"),
        ("plain {text}\\par", "plain {text}\\par"),
    ],
)
def test_what_rich_text_shows(rich: str, shown: str) -> None:
    assert from_rtf(rich) == shown


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("<p>One\n two<br>three</p><p>four</p>", "One two\nthree\n\nfour\n"),
        ("<style>a{}</style><script>x</script><title>t</title><h1>A &amp; B</h1>&lt;c&gt;", "A & B\n\n<c>\n"),
        ("<pre>a  b\n c</pre>", "a  b\n c\n"),
        ("<ul><li>a<li>b</ul></style>c", "\na\nb\nc\n".lstrip()),
        ("<tr><td>a<td>b</tr>", "\ta\tb\n"),
    ],
)
def test_what_a_page_shows(page: str, shown: str) -> None:
    assert from_html(page) == shown


@given(st.text("{}\\'u*par- 019\n", max_size=60))
def test_no_rich_text_is_too_broken(text: str) -> None:
    assert from_rtf("{\\rtf1" + text).endswith("\n")
