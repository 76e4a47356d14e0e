"""Start it: ``python -I -S -B -X utf8 <folder>/runtime/windows/__main__.py VERB``."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from runtime.windows.nsis_verbs import main  # type: ignore[import-not-found,unused-ignore]

sys.exit(main(sys.argv[1:], os.environ))
