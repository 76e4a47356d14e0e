"""Recipes to packages: reading recipes, the order of builds, build keys, and building in isolation."""
