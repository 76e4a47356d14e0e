"""What a release can be trusted by: the bill of its materials, keys and signatures."""
