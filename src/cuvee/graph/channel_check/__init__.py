"""Whether each record of a whole channel can be installed, and why not."""
