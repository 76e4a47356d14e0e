"""Projects of constructor: reading and writing ``construct.yaml``, and building with the program itself.

https://conda.github.io/constructor/construct-yaml/ documents the file. Constructor is not imported: it is a
program in an environment of its own.
"""
