"""Workflows of CI systems: they cut a release, test it on each platform, and bring the outcomes home."""
