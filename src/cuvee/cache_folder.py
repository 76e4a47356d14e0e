"""The user's cache folder."""

import os
from pathlib import Path


def default_cache() -> Path:
    """Return the folder that ``CUVEE_CACHE_DIR`` names, or the one that the system has for caches."""
    named = os.environ.get("CUVEE_CACHE_DIR")
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("cuvee", appauthor=False)
