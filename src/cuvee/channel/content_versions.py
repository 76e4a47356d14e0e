"""Versions of what packages are made of, by which caches know whether what they have is still the same."""

CONVERTER = 5
"""Increased with every change of the converted packages, so that packages in the cache are not reused."""

CONTENT_VERSION = 6
"""Increased when the same interpreter gives another package, so that archives in the cache are not reused."""
