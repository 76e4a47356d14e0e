"""An explanation of rattler that does not end is given up, and ours is shown."""

import subprocess
import sys
from pathlib import Path

import pytest

import tiny_index

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(sys.platform == "win32", reason="Python cannot say there how much memory it has"),
]

MANIFEST = """\
manifest: 1
distribution: tiny
title: Tiny
version: 2026.11.0
platforms: {{linux-64: {{floor: {{glibc: "2.28"}}}}}}
channels: ["{channel}"]
owners: {{core: {{contact: core@example.org}}}}
packages:
  n0: {{version: "*", owner: core}}
"""
ENDLESS = ["n0 1: n1 <3", "n0 2: n1 1 ! n1 <2", "n1 1: n0 >=2, n0 !=2"]
CUVEE = """\
import sys
import cuvee.lock.endless_answers as answers
answers.MOST_MEMORY = 150_000_000
from cuvee.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_what_goes_round_in_circles_is_given_up(tmp_path: Path) -> None:
    found = [tiny_index.entry(line) for line in ENDLESS]
    folder = tmp_path / "tiny"
    channel = tiny_index.write_index(folder / "channel", found, platforms=["linux-64"])
    (folder / "2026.11.0.yaml").write_text(MANIFEST.format(channel=channel))
    argv = [sys.executable, "-c", CUVEE, "lock", "2026.11.0.yaml", "--dist", "dist"]
    ended = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "n0 cannot hold: n1 1 needs n0 >=2, n0 !=2, which no channel has" in ended.stderr
