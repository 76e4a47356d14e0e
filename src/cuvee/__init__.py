"""Cut numbered, proved and installable releases of a curated conda distribution."""

__version__ = "0.1.0"
