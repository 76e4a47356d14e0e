"""Manifests: what a release manager writes, read with positions and evaluated."""

from cuvee.manifest.loader import load_manifest
from cuvee.manifest.model import Manifest

__all__ = ["Manifest", "load_manifest"]
