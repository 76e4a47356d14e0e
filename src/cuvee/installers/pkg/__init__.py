"""The `.pkg` installer: a flat product archive for macOS, written on any system."""
