"""Start the runtime: ``python -I -S -B -X utf8 <prefix>/.cuvee/runtime/__main__.py``."""

import gc
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from runtime.command_line import main  # type: ignore[import-not-found,unused-ignore]

# The list of files stays until the end; looking for cycles in it again and again takes a tenth of the time.
gc.disable()
sys.exit(main(sys.argv[1:]))
