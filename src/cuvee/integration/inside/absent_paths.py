"""Print which of some paths this interpreter's prefix does not have, as JSON.

Usage: ``python absent_paths.py SPEC.json``, where SPEC.json is a list of paths relative to the prefix. A link
counts as itself, wherever it leads.
"""

from __future__ import annotations  # for releases with an old Python

import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    paths = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    absent = [path for path in paths if not os.path.lexists(os.path.join(sys.prefix, path))]  # noqa: PTH118
    sys.stdout.write(json.dumps(absent))
