"""Where tests keep the pictures that people look at."""

import os
from pathlib import Path

PICTURES = Path(os.environ.get("CUVEE_SCREENSHOTS") or Path(__file__).parents[1] / "build" / "screenshots")
"""``CUVEE_SCREENSHOTS``, or ``build/screenshots``."""
