"""The names of installers' files."""

from cuvee.image.model import Image
from cuvee.platforms import get


def display_name(distribution: str) -> str:
    """Return a distribution's name as file names and Windows show it: ``Starter``."""
    return distribution[:1].upper() + distribution[1:]


def installer_name(image: Image, kind: str, *, name: str = "") -> str:
    """Return the name of an image's installer.

    Parameters
    ----------
    name
        What it begins with; by default the distribution's name.
    """
    name = name or display_name(image.label.distribution)
    return file_name(name, image.label.version, image.platform, kind)


def file_name(name: str, version: str, platform: str, kind: str) -> str:
    """Return the name of an installer's file: ``Starter-2026.11.0-Linux-x86_64.sh``."""
    return f"{name}-{version}-{get(platform).label}.{kind}"
