"""Start it: ``python -I -S -B -X utf8 <folder>/runtime/windows/__main__.py VERB``."""

import os
import sys

# No folder on `sys.path`, from where a file could take the place of a standard module.
package = type(sys)("runtime")
package.__path__ = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]
sys.modules["runtime"] = package

from runtime.windows.nsis_verbs import main  # type: ignore[import-not-found,unused-ignore]  # noqa: E402

sys.exit(main(sys.argv[1:], os.environ))
