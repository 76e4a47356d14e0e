"""Manifests: what a release manager writes, read with positions and evaluated."""

from cuvee.manifest.loading import load
from cuvee.manifest.model import Manifest

__all__ = ["Manifest", "load"]
