"""Where a linker puts the files of ``noarch: python`` packages, whose folders depend on the platform."""


def noarch_target(path: str, *, site_packages: str, scripts: str) -> str:
    """Return where a path of a ``noarch: python`` package goes; all paths are relative to the prefix.

    https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html#noarch
    """
    head, _, rest = path.partition("/")
    if head == "site-packages" and rest:
        return f"{site_packages}/{rest}"
    if head == "python-scripts" and rest:
        return f"{scripts}/{rest}"
    return path


def default_site_packages(version: str, *, is_windows: bool) -> str:
    """Return where a `python` of ``version`` looks for packages, unless its record says otherwise.

    https://github.com/conda/ceps/blob/main/cep-0017.md lets a record say otherwise.
    """
    minor = ".".join(version.split(".")[:2])
    return "Lib/site-packages" if is_windows else f"lib/python{minor}/site-packages"
