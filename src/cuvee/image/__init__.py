"""The link plan and the payload: what an installer carries."""

from cuvee.image.build import build_image
from cuvee.image.bytecode import ByteCompiler
from cuvee.image.layout import needs_decoder
from cuvee.image.model import Image, ReleaseLabel

__all__ = ["ByteCompiler", "Image", "ReleaseLabel", "build_image", "needs_decoder"]
