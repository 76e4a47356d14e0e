"""``cuvee schema``: print the JSON Schema of a kind of document."""

import click

from cuvee.cli.render import write_json


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of manifests, for editors.

    Editors with a YAML language server complete and check a manifest when its first line is the comment
    "# yaml-language-server: $schema=manifest.schema.json".

    \b
    Examples:
      cuvee schema > manifests/starter/manifest.schema.json
      cuvee schema | less
    """
    from cuvee.manifest.documents.json_schema import json_schema
    from cuvee.manifest.schema import MANIFEST

    write_json(json_schema(MANIFEST))
