"""One module per installer format."""
