"""``cuvee show``: print an evaluated manifest, with where each value came from."""

import datetime as dt
from pathlib import Path

import click


@click.command("show")
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print values and their places as JSON.")
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
    from cuvee.manifest import load, rendering

    loaded = load(manifest, today=dt.datetime.now(dt.UTC).date())
    if as_json:
        click.echo(canonical_json(rendering.as_json(loaded)).decode(), nl=False)
    else:
        click.echo(rendering.as_yaml(loaded), nl=False)
