"""Start it: ``python -I -S -B -X utf8 <folder>/desktop/__main__.py VERB``; the runtime lies beside it."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH100, PTH120

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from desktop.main import main  # type: ignore[import-not-found,unused-ignore]

sys.exit(main(sys.argv[1:], os.environ))
