"""``cuvee schema``: print the JSON Schema of a kind of document."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from cuvee.manifest.documents.schema_types import DocumentSchema

_NAMES = (
    "manifest", "branding", "installer", "suite", "smoke", "upstream", "known-failures", "quarantine",
    "erratum", "publisher",
)  # fmt: skip


@click.command("schema")
@click.argument("document", type=click.Choice(_NAMES), default="manifest")
def command(document: str) -> None:
    """Print the JSON Schema of a YAML file, for editors.

    DOCUMENT is the name of the file without its ending: branding, installer, suite, smoke, upstream,
    known-failures, quarantine or publisher; "erratum" is a file of the folder errata. By default it is the
    manifest.

    Editors with a YAML language server complete and check a file when its first line is the comment
    "# yaml-language-server: $schema=manifest.schema.json".

    \b
    Examples:
      cuvee schema > manifests/starter/manifest.schema.json
      cuvee schema installer > installers/starter/installer.schema.json
      cuvee schema | less
    """
    from cuvee.manifest.documents.json_schema import json_schema

    write_json(json_schema(documents()[document]))


def documents() -> "Mapping[str, DocumentSchema]":
    """Return every kind of YAML document that people write, by name."""
    from cuvee.errata.erratum_schema import ERRATUM, PUBLISHER
    from cuvee.installers.branding import BRANDING
    from cuvee.installers.settings_reader import INSTALLER
    from cuvee.integration.accepted_tests import KNOWN_FAILURES, QUARANTINE
    from cuvee.integration.suite_files import COMMAND_RULES
    from cuvee.integration.suite_schemas import SHIPPED_TESTS, SUITE
    from cuvee.manifest.schema import MANIFEST

    suites = (SUITE, COMMAND_RULES, SHIPPED_TESTS, KNOWN_FAILURES, QUARANTINE)
    found = (MANIFEST, BRANDING, INSTALLER, *suites, ERRATUM, PUBLISHER)
    return {document.name: document for document in found}
