"""Conda's concepts as typed values, and the conversions to and from rattler's."""
