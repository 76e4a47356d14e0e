"""What a shell can complete besides options and paths: names of checks and of packages.

A completion is asked for at each press of a key, so these read plain text only, and nothing that they read is
an error.
"""

from collections.abc import Iterator
from pathlib import Path

import click


def check_names(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the identifiers of checks that begin with ``incomplete``."""
    from cuvee.graph.checks import ALL_CHECKS

    return [check.identifier for check in ALL_CHECKS if check.identifier.startswith(incomplete)]


def package_names(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the packages that begin with ``incomplete``, of the named release or of all in ``--dist``.

    A release that is named after the word that is completed is not known.
    """
    dist = Path(ctx.params.get("dist") or "dist")
    manifest = ctx.params.get("manifest")
    names: set[str] = set()
    if manifest is not None:
        path = Path(manifest).absolute()
        names = set(_names(path if path.is_dir() else dist / f"{path.parent.name}-{path.stem}"))
    if not names and dist.is_dir():
        names = {name for folder in sorted(dist.iterdir()) for name in _names(folder)}
    return sorted(name for name in names if name.startswith(incomplete))


def _names(release: Path) -> Iterator[str]:
    """Yield the packages of a release by its explicit lists, which are faster to read than its lock."""
    from cuvee.conda.explicit_list import EXPLICIT, parse_explicit_line

    for path in sorted(release.glob("lock/*.explicit.txt")):
        try:
            _, _, lines = path.read_text(encoding="utf-8").partition(f"{EXPLICIT}\n")
            urls = [parse_explicit_line(line).url for line in lines.splitlines()]
        except (OSError, ValueError):
            continue
        # NAME-VERSION-BUILD: only a name may have hyphens.
        yield from (url.rpartition("/")[2].rsplit("-", 2)[0] for url in urls)
