"""The words of the conda ecosystem as typed values, and the only way to and from rattler's."""
