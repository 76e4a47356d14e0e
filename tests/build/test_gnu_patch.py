"""Patches in the form for conda-build: GNU patch makes of them what is made here of the manifest's."""

import difflib
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.build.patched_recipes import for_gnu_patch
from cuvee.channel.patches.applied_patch import apply_patch
from cuvee.channel.patches.unified_diff import parse_patch
from cuvee.errors import BlockedError
from needed_programs import HANGING, needs

pytestmark = [
    pytest.mark.real,
    needs("patch"),
    pytest.mark.skipif(sys.platform != "linux", reason="that of other systems may not be GNU's"),
]
NAMES = ("text", "a/text", "b/with blank/text", "end")
SOME = [*"abcdefghijklmn", "c\r", "", "-- d", "+ é"]
# What is left of the same lines: hunks far from each other, with context.
LINES = st.sets(st.sampled_from(range(60)), max_size=5).map(
    lambda gone: "".join(
        f"{SOME[number % len(SOME)]}{number}\n" for number in range(60) if number not in gone
    )
)
CONTENTS = st.one_of(st.none(), *[LINES.map(lambda lines: f"{lines}end")] * 4)


def diff(name: str, old: str | None, new: str | None) -> str:
    """Return what git writes for a file; `None` is one that is not there."""
    sides = [[] if side is None else side.split("\n") for side in (old, new)]
    lines = [[f"{line}\n" for line in side[:-1]] + [line for line in side[-1:] if line] for side in sides]
    heads = [f"{top}/{name}\t" if side is not None else "/dev/null" for top, side in (("a", old), ("b", new))]
    found = difflib.unified_diff(lines[0], lines[1], heads[0], heads[1])
    return "".join(line if line[-1:] == "\n" else f"{line}\n\\ No newline at end of file\n" for line in found)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(CONTENTS, CONTENTS, st.booleans()), min_size=len(NAMES), max_size=len(NAMES)),
    st.sampled_from([0, 0, 2]),
)
def test_gnu_patch_gives_the_same_files(texts: list[tuple[str | None, str | None, bool]], moved: int) -> None:
    def ended(text: str | None, has_end: bool) -> str | None:
        return text if text is None or has_end else text.removesuffix("end")

    sides = [(name, ended(old, end), new) for name, (old, new, end) in zip(NAMES, texts, strict=True)]
    patch = "".join(diff(*side) for side in sides)
    if not patch:
        return
    # What is above has other lines than the patch says: its hunks have moved.
    above = "".join(f"line {number}\n" for number in range(moved))
    files = {name: (above + old).encode() for name, old, _ in sides if old is not None}
    ours = dict(files)
    diffs = parse_patch(patch.encode(), "one.patch")
    try:
        changed = apply_patch(diffs, files.get, name="one.patch", subject="text")
    except BlockedError:
        return
    expected = {name: data for name, data in {**ours, **changed}.items() if data is not None}
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, "source", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        source = Path(folder, "source")
        source.mkdir(exist_ok=True)
        Path(folder, "one.patch").write_bytes(for_gnu_patch(diffs))
        argv = ("patch", "--no-backup-if-mismatch", "--batch", "-Np0", "-i", "../one.patch", "--binary")
        done = subprocess.run(argv, cwd=source, capture_output=True, text=True, timeout=HANGING, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "fuzz" not in done.stdout
        found = {
            path.relative_to(source).as_posix(): path.read_bytes()
            for path in source.rglob("*")
            if path.is_file()
        }
    assert found == expected
