"""How an installer, and the programs of an installed release, run on this host: one module per runner."""
