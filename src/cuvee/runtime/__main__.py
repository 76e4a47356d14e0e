"""Start the runtime: ``python -I -S -B -X utf8 <prefix>/.cuvee/runtime/__main__.py``."""

import gc
import os
import sys

# No folder on `sys.path`, from where a file beside this one could take the place of a standard module.
package = type(sys)("runtime")
package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
sys.modules["runtime"] = package

from runtime.command_line import main  # type: ignore[import-not-found,unused-ignore]  # noqa: E402

# The list of files stays until the end; looking for cycles in it again and again takes a tenth of the time.
gc.disable()
# All output is written by now; freeing what is in memory piece by piece would take 0.04 s.
os._exit(main(sys.argv[1:]))
