"""What Windows needs around the runtime: the container, the registry, PATH, shortcuts, uninstalling.

It runs where the runtime runs and under the same rules: standard library only, and no module but built-in
ones and those that the runtime imports, since stage 0 carries no others. `installed_python` is what runs
under the installed release's own Python.
"""
