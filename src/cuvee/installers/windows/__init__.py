"""The Windows installers, `.exe` and `.msi`, made on Linux; `cuvee.runtime.windows` is what they run."""
