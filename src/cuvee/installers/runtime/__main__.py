"""Start the runtime: ``python -I -S -B -X utf8 <prefix>/.cuvee/runtime/__main__.py``."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from runtime.main import main  # type: ignore[import-not-found,unused-ignore]

sys.exit(main(sys.argv[1:]))
