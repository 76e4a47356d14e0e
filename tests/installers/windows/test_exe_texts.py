"""The texts that the `.exe`'s window shows."""

from cuvee.installers.windows.nsis_script import flowing

LICENCE = """\
The Title

Whoever holds a copy of this text may use, change and pass on what
it is about, for any purpose,
and without a fee.
1. The first point is so long that it looks as if it would go on below
2. but this is the second one, which does go on: the next line belongs
to it
  - what is indented stays where it is, even when it is as long as this
    line is
"""


def test_paragraphs_of_a_licence_flow() -> None:
    assert flowing(LICENCE).split("\n") == [
        "The Title",
        "",
        "Whoever holds a copy of this text may use, change and pass on what it is about, for any purpose,",
        "and without a fee.",
        "1. The first point is so long that it looks as if it would go on below",
        "2. but this is the second one, which does go on: the next line belongs to it",
        "  - what is indented stays where it is, even when it is as long as this",
        "    line is",
    ]


def test_nothing_but_the_ends_of_lines_is_changed() -> None:
    assert flowing(LICENCE).split() == LICENCE.split()
