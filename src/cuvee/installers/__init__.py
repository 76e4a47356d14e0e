"""One module per installer format; ``runtime/`` is the only code that runs on the user's desktop."""
