"""Patches of packages: reading unified diffs, applying them exactly, and patching wheels."""
