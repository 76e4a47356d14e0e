"""The `.pkg` installer: a flat product archive for macOS, written on any system."""

from cuvee.installers.pkg.build import build_pkg

__all__ = ["build_pkg"]
