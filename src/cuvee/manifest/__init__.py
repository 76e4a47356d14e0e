"""Manifests: what a release manager writes, read with positions and evaluated."""

from cuvee.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cuvee.manifest.loader import load_manifest
    from cuvee.manifest.model import Manifest

__all__ = ["Manifest", "load_manifest"]
__getattr__ = lazy_names(__name__, {"loader": ("load_manifest",), "model": ("Manifest",)})
