"""Measure the processor time of reading, validating and evaluating a manifest of 20,000 lines.

Usage: python benchmarks/manifest_read.py [LINES]
"""

import datetime as dt
import sys
import tempfile
import time
from pathlib import Path

from cuvee.manifest import load_manifest
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.yaml_reader import parse_yaml

HEAD = """\
manifest: 1
distribution: large
version: "2026.11.0"
title: Large
platforms: {linux-64: {}, win-64: {}}
owners: {core: {contact: core@example.org}}
packages:
"""
QUOTED = '">={0}.{1},<99"'


def main(lines: int) -> None:
    """Time only the reader, then everything."""
    full = '{{version: ">={0}.{1},<99", owner: core, groups: [core]}}'
    packages = (
        f"  package{number}: {(full if number % 5 == 0 else QUOTED).format(number % 50, number % 40)}\n"
        for number in range(lines - HEAD.count("\n"))
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large" / "2026.11.0.yaml"
        path.parent.mkdir()
        path.write_text(HEAD + "".join(packages))
        load_manifest(path, today=dt.datetime.now(dt.UTC).date())  # imports what is lazy
        start = time.process_time()
        parse_yaml(path, path.read_bytes(), Problems(path))
        middle = time.process_time()
        load_manifest(path, today=dt.datetime.now(dt.UTC).date())
        end = time.process_time()
    print(f"{lines:,} lines, processor seconds:")
    print(f"  nodes with places  {middle - start:.2f}")
    print(f"  the whole          {end - middle:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
