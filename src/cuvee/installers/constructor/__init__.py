"""Constructor, the other maker of installers: its projects are read, written and, when wanted, built with it.

https://conda.github.io/constructor/construct-yaml/ explains ``construct.yaml``. Nothing of constructor is
imported here: it is a program of its own, with an environment of its own.
"""
