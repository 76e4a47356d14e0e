"""An installer that ends too early says so and changes nothing, wherever it was cut, under every shell."""

import subprocess
from pathlib import Path

import pytest

from needed_programs import HANGING, need
from tiny_release import Release

pytestmark = pytest.mark.real

SHELLS = [("dash",), ("bash",), ("busybox", "sh"), ("zsh", "--emulate", "sh"), ("zsh",)]


def cuts(data: bytes) -> list[int]:
    """Return the ends of the header's lines behind the first two, and places within lines."""
    end = data.index(b"\nexit 1\n") + len(b"\nexit 1\n")
    ends = [place + 1 for place in range(end) if data[place] == ord("\n")]
    return sorted({*ends[1:], *range(ends[2], end, 97), end + 100})


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_every_cut_is_found(shell: tuple[str, ...], release: Release, tmp_path: Path) -> None:
    need(shell[0])
    data = release.installer.read_bytes()
    installer, prefix = tmp_path / "cut.sh", tmp_path / "py"
    wrong = {}
    for place in cuts(data):
        installer.write_bytes(data[:place])
        done = subprocess.run(
            [*shell, str(installer), "-b", "-p", str(prefix)],
            capture_output=True,
            timeout=HANGING,
            check=False,
        )
        if done.returncode != 5 or b"is damaged" not in done.stderr or done.stdout:
            wrong[place] = (done.returncode, done.stdout, done.stderr[-200:], data[:place][-60:])
    assert not wrong
    assert [path.name for path in tmp_path.iterdir()] == ["cut.sh"]
