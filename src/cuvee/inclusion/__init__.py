"""Who comes into a distribution, who answers for what, and what was decided."""
