"""Manifests: what a release manager writes, read with positions and evaluated."""
