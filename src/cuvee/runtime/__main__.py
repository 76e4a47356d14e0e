"""Start the runtime: ``python -I -S -B -X utf8 <prefix>/.cuvee/runtime/__main__.py``."""

import gc
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from runtime.main import main  # type: ignore[import-not-found,unused-ignore]

# The list of files stays to the end; to look through it for cycles again and again takes a tenth of the time.
gc.disable()
sys.exit(main(sys.argv[1:]))
