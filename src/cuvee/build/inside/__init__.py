"""The program that builds and tests a package, isolated; it imports nothing of cuvee."""
