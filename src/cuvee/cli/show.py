"""``cuvee show``: print an evaluated manifest, with where each value came from."""

import datetime as dt
from pathlib import Path

import click

from cuvee.cli.options import json_option
from cuvee.cli.output import say


@click.command("show")
@click.argument("manifest", type=click.Path(path_type=Path))
@json_option
def command(manifest: Path, as_json: bool) -> None:
    """Print the evaluated MANIFEST, with where each value came from.

    What a manifest inherits is filled in, so the output is a manifest of its own. Each line ends with the
    file and line that stated its value, or with "default".

    \b
    Examples:
      cuvee show manifests/starter/2026.11.1.yaml
      cuvee show manifests/starter/2026.11.1.yaml --json
    """
    from cuvee.files import canonical_json
    from cuvee.manifest import manifest_export
    from cuvee.release.named_manifest import named_manifest

    loaded = named_manifest(manifest, today=dt.datetime.now(dt.UTC).date())
    if as_json:
        say(canonical_json(manifest_export.as_json(loaded)).decode(), nl=False)
    else:
        say(manifest_export.as_yaml(loaded), nl=False)
