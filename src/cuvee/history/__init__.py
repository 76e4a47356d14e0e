"""What earlier runs have found, over the releases of a distribution."""
