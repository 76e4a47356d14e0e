"""The Windows installers, `.exe` and `.msi`, made on Linux.

`desktop` is the part that runs on the user's machine: standard library only, beside the runtime.
"""
