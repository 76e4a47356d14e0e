"""What cuvee adds to a set for its own needs: requirements of their own, each with its reason."""

from cuvee.image.python_paths import decoder_requirement, is_decoder
from cuvee.manifest.model import Manifest, Requirement


def additions(manifest: Manifest) -> tuple[Requirement, ...]:
    """Return what a release needs besides what its manifest requests.

    Installers unpack with the release's own interpreter, which reads zstd by itself only from Python 3.14 on
    (PEP 784). So a release with installers needs a decoder, unless its manifest requests one.
    """
    if not manifest.installers or any(is_decoder(package.name) for package in manifest.packages):
        return ()
    platforms = tuple(entry.name for entry in manifest.present_platforms)
    position = manifest.sources.get("installers") or manifest.sources["distribution"]
    return (decoder_requirement(platforms, position),)
