"""What runs on the user's desktop: standard library only, imports nothing else of cuvee."""
