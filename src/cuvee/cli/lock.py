"""``cuvee lock``."""

from pathlib import Path
from typing import Any

import click

from cuvee.cli.options import release_options, run_pipeline
from cuvee.cli.output import say
from cuvee.cli.render import result_json, write_json


@click.command()
@release_options
def command(manifest: Path, *, as_json: bool, **options: Any) -> int:
    """Solve a manifest on every platform and write its lock.

    Packages that no channel carries are imported first. The result is `lock/pixi.lock` in the release
    folder, and `lock/<platform>.explicit.txt` for `conda create --file`.

    \b
    Examples:
      cuvee lock manifests/starter/2026.11.0.yaml
      cuvee lock manifests/starter/2026.11.0.yaml --refresh --json
    """
    from cuvee.release.pipeline import lock_release

    result = run_pipeline(lock_release, manifest=manifest, as_json=as_json, **options)
    if as_json:
        write_json(result_json(result))
        return 0
    for lock in result.lock.platforms:
        say(f"{lock.platform}: {len(lock.packages)} packages")
    for absent in result.absent:
        say(f"{absent.platform}: absent, {absent.reason}")
    say(f"lock: {result.folder / 'lock' / 'pixi.lock'}")
    return 0
