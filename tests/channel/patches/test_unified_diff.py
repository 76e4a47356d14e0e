"""Unified diffs: what `diff` writes applies, what does not fit is named, what could do harm is refused."""

import difflib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.channel.patches.applied_patch import apply_patch
from cuvee.channel.patches.unified_diff import parse_patch
from cuvee.errors import BlockedError, DocumentError

NAME = "patches/one.patch"
OLD = b"one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n"
PATCH = b"""\
Fix the third.

diff --git a/pkg/text.py b/pkg/text.py
index 1234567..89abcde 100644
--- a/pkg/text.py\t2026-11-01 00:00:00
+++ b/pkg/text.py\t2026-11-02 00:00:00
@@ -2,3 +2,3 @@ def context():
 two
-three
+drei
 four
@@ -7,3 +7,4 @@
 seven
 eight
+and a half
 nine
"""


def applied(patch: bytes, files: Mapping[str, bytes]) -> dict[str, bytes | None]:
    return dict(apply_patch(parse_patch(patch, NAME), files.get, name=NAME, subject="demo-1.0"))


def refusal(patch: bytes, files: Mapping[str, bytes]) -> str:
    with pytest.raises(BlockedError) as caught:
        applied(patch, files)
    assert caught.value.hint
    return caught.value.message


def test_a_patch_applies() -> None:
    assert applied(PATCH, {"pkg/text.py": OLD}) == {
        "pkg/text.py": b"one\ntwo\ndrei\nfour\nfive\nsix\nseven\neight\nand a half\nnine\n"
    }


@given(
    st.lists(st.sampled_from(["a", "b", "c\r", "", "d d", "é"]), max_size=30),
    st.lists(st.sampled_from(["a", "b", "c\r", "", "d d", "é"]), max_size=30),
    st.booleans(),
)
def test_what_difflib_writes_gives_the_other_file(old: list[str], new: list[str], ends: bool) -> None:
    def lines(texts: list[str]) -> list[str]:
        found = [f"{text}\n" for text in texts]
        return found if ends or not found or not texts[-1] else [*found[:-1], texts[-1]]

    before, after = lines(old), lines(new)
    if before == after or not before or not after:
        return
    diff = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(before, after, "a/f", "b/f", n=3)
    )
    assert applied(diff.encode(), {"f": "".join(before).encode()}) == {"f": "".join(after).encode()}


def test_a_hunk_may_have_moved_if_its_lines_are_at_one_place_only() -> None:
    moved = b"zero\n" * 3 + OLD
    result = applied(PATCH, {"pkg/text.py": moved})["pkg/text.py"]
    assert result is not None
    assert result.startswith(b"zero\nzero\nzero\none\ntwo\ndrei\n")
    assert b"and a half" in result
    twice = b"zero\n" * 2 + b"two\nthree\nfour\n" * 2
    message = refusal(PATCH, {"pkg/text.py": twice})
    assert "its lines are there 2 times, and none of that is at line 2" in message


def test_a_hunk_that_does_not_apply_is_named_with_what_it_expects() -> None:
    assert refusal(PATCH, {"pkg/text.py": OLD.replace(b"eight", b"ACHT")}) == (
        "The patch patches/one.patch does not apply to demo-1.0:\n"
        "  hunk 2 of pkg/text.py (line 12 of the patch) does not apply\n"
        "  expected at line 7:\n"
        "    | seven\n    | eight\n    | nine\n"
        "  found there, different from line 8 on:\n"
        "    | seven\n    | ACHT\n    | nine"
    )
    assert "there is no pkg/text.py" in refusal(PATCH, {})


def test_a_blank_or_a_line_end_that_differs_is_not_overlooked() -> None:
    assert "hunk 1" in refusal(PATCH, {"pkg/text.py": OLD.replace(b"four", b"four ")})
    assert "hunk 1" in refusal(PATCH, {"pkg/text.py": OLD.replace(b"\n", b"\r\n")})


def test_files_are_added_and_removed() -> None:
    added = b"--- /dev/null\n+++ b/pkg/new.py\n@@ -0,0 +1,2 @@\n+one\n+two\n"
    removed = b"--- a/pkg/old.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n"
    assert applied(added + removed, {"pkg/old.py": b"one\n"}) == {
        "pkg/new.py": b"one\ntwo\n",
        "pkg/old.py": None,
    }
    assert "it adds pkg/new.py, which exists" in refusal(added, {"pkg/new.py": b""})
    assert "has more lines" in refusal(removed, {"pkg/old.py": b"one\ntwo\n"})


def test_names_that_git_quotes_are_read() -> None:
    patch = b'--- "a/caf\\303\\251 \\"x\\".py"\n+++ "b/caf\\303\\251 \\"x\\".py"\n@@ -1 +1 @@\n-one\n+two\n'
    assert applied(patch, {'café "x".py': b"one\n"}) == {'café "x".py': b"two\n"}


HUNK = b"@@ -1 +1 @@\n-one\n+two\n"


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        (b"--- a/../x\n+++ b/../x\n" + HUNK, "not a path below"),
        (b"--- /etc/passwd\n+++ /etc/passwd\n" + HUNK, "not a path below"),
        (b"--- a//etc/passwd\n+++ b//etc/passwd\n" + HUNK, "not a path below"),
        (b"--- a\\x\n+++ b\\x\n" + HUNK, "not a path below"),
        (b"--- C:/x\n+++ C:/x\n" + HUNK, "not a path below"),
        (b"--- x.py\n+++ x.py\n" + HUNK, "not a path below"),
        (b"--- src/x.py\n+++ src/x.py\n" + HUNK, "does not begin with a/ or b/"),
        (b'--- "a/x\\033"\n+++ "b/x\\033"\n' + HUNK, "not a path below"),
        (b"--- a/\xff\n+++ b/\xff\n" + HUNK, "not in UTF-8"),
        (b"--- a/x\n+++ b/y\n" + HUNK, "keep their names"),
        (b"--- /dev/null\n+++ /dev/null\n" + HUNK, "both sides"),
        (b"--- /dev/null\n+++ b/x\n" + HUNK, "has lines"),
        (b"--- a/x\n+++ b/x\n", "no hunk"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-one\n", "ends early"),
        (b"--- a/x\n+++ b/x\n@@ -1,2 +1 @@\n-one\nxx\n", "neither ' ', '+' nor '-'"),
        (b"--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n one\n one\n", "other lines than"),
        (HUNK, "a hunk without a file"),
        (
            b"diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc\n",
            "a link",
        ),
        (b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", "the mode"),
        (b"diff --git a/x b/y\nrename from x\nrename to y\n", "renames"),
        (b"diff --git a/x b/x\nGIT binary patch\n", "binary"),
        (b"just text\n", "no unified diff"),
        (b"", "no unified diff"),
    ],
)
def test_what_is_no_patch_of_text_files_is_refused_with_its_line(patch: bytes, why: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_patch(patch, NAME)
    assert why in caught.value.message
    assert caught.value.message.startswith(NAME)
    assert caught.value.exit_code == 2


def test_lines_without_context_are_refused_where_something_is() -> None:
    patch = b"--- a/x\n+++ b/x\n@@ -1,0 +2 @@\n+two\n"
    assert "has no context" in refusal(patch, {"x": b"one\n"})
    assert applied(b"--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+two\n", {"x": b""}) == {"x": b"two\n"}
